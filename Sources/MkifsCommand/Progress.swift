import Format
import ToolSupport

/// Writes an image, and shows on a terminal how far it is.
struct ProgressSink: ByteSink {
    private let file: NewFile
    private let total: UInt64
    private var written: UInt64 = 0
    private let meter = ProgressMeter()

    init(_ file: NewFile, total: UInt64) {
        self.file = file
        self.total = total
    }

    mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
        try file.write(bytes, at: offset)
        written &+= UInt64(bytes.count)
        meter.show(written, of: total)
    }

    /// Takes the line away again.
    func finish() { meter.finish() }
}

import Format
import Glibc
import ToolSupport

/// Writes an image, and shows on a terminal how far it is.
struct ProgressSink: ByteSink {
    private let file: NewFile
    private let total: UInt64
    private var written: UInt64 = 0
    private var shown: UInt64?
    private let isShowing = isatty(STDERR_FILENO) == 1
    private let start = time(nil)

    init(_ file: NewFile, total: UInt64) {
        self.file = file
        self.total = max(total, 1)
    }

    mutating func write(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
        try file.write(bytes, at: offset)
        guard isShowing else { return }
        written &+= UInt64(bytes.count)
        let percent = min(100, written &* 100 / total)
        guard percent != shown, time(nil) > start else { return }
        shown = percent
        say("\r\(percent) % ")
    }

    /// Takes the line away again.
    func finish() {
        if shown != nil { say("\r      \r") }
    }

    private func say(_ text: String) {
        // Nothing depends on it.
        _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}

import Format
import Mkifs
import ToolSupport

/// The listing of `-v`: what is where in the image, on standard error; `-vvvv` has the entry address
/// as a line of its own.
struct Listing {
    private let diagnostics: ToolSupport.Diagnostics
    private let verbosity: Int

    init(_ diagnostics: ToolSupport.Diagnostics, _ verbosity: Int) {
        self.diagnostics = diagnostics
        self.verbosity = verbosity
    }

    func print(_ image: LaidOutImage) {
        diagnostics.write("  Offset   Size    Entry   Ramoff Target=Host")
        for item in image.listing { diagnostics.write(line(item) + sum(item)) }
        guard verbosity > 3 else { return }
        for item in image.listing where item.kind == .startup {
            guard let address = item.entryAddress else { continue }
            diagnostics.write("Entry address: \(hex(address))")
        }
    }

    /// The CRC-32 of the host's file, from `-vv` on.
    private func sum(_ item: LaidOutImage.Item) -> String {
        guard verbosity > 1, item.isHostFile, !item.source.isEmpty,
            let file = try? InputFile.open(Argument(bytes: item.source))
        else { return "" }
        var sum = CRC32()
        var position: UInt64 = 0
        // A file that cannot be read is no error of a listing; writing the image tells it.
        while position < file.byteCount, let piece = try? file.prefix(1 << 20, at: position),
            !piece.isEmpty
        {
            sum.update(piece)
            position &+= UInt64(piece.count)
        }
        return " (\(sum.total))"
    }

    private func line(_ item: LaidOutImage.Item) -> String {
        let address = padded(item.address.map { String($0, radix: 16) } ?? "----", 8)
        let size = padded(item.address == nil ? "---" : String(item.byteCount, radix: 16), 6)
        let entry = padded(item.entryAddress.map { String($0, radix: 16) } ?? "----", 8)
        let ram = padded(item.ramOffset.map { String($0, radix: 16) } ?? "---", 8)
        return [address, size, entry, ram, name(item)].joined(separator: " ")
    }

    private func name(_ item: LaidOutImage.Item) -> String {
        let source = printable(item.source)
        switch item.kind {
        case .prefix: return source.isEmpty ? "Boot-prefix" : source
        case .startupHeader: return "Startup-header"
        case .startup: return source
        case .imageHeader: return "Image-header"
        case .directory: return "Image-directory"
        case .trailer: return "Image-trailer"
        case .entry(let path, _):
            return source.isEmpty ? printable(path) : "\(printable(path))=\(source)"
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

import Glibc
import ToolSupport

/// The words of the command line that are no options.
struct Operands {
    /// The buildfile; `-` for standard input.
    let buildfile: Argument
    /// A directory whose contents come behind the buildfile's.
    let directory: Argument?
    /// The image; `-` for standard output.
    let image: Argument

    /// `[buildfile] [directory] [image]`: the second of two is the directory if it is one.
    init(_ words: [Argument]) throws(ToolError) {
        guard words.count <= 3 else {
            throw ToolError(
                "found \(words.count) operands, expected a buildfile, a directory and an image at"
                    + " most")
        }
        buildfile = words.first ?? "-"
        let second = words.dropFirst().first
        let isDirectory = words.count == 3 || second.map(Self.isDirectory) ?? false
        directory = isDirectory ? second : nil
        image = (words.count == 3 ? words[2] : isDirectory ? nil : second) ?? "-"
    }

    private static func isDirectory(_ path: Argument) -> Bool {
        var status = stat()
        return unsafe path.withCString { unsafe stat($0, &status) } == 0
            && status.st_mode & S_IFMT == S_IFDIR
    }
}

/// The variables that the process was given.
struct Environment {
    /// `NAME=value`, in order.
    let strings: [[UInt8]]

    /// The variables by name; the first of a name counts.
    var values: [[UInt8]: [UInt8]] {
        var values: [[UInt8]: [UInt8]] = [:]
        for text in strings {
            guard let end = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Array(text[..<end])
            values[name] = values[name] ?? Array(text[(end + 1)...])
        }
        return values
    }

    static func ofProcess() -> Environment {
        var strings: [[UInt8]] = []
        var next = unsafe environ
        while let text = unsafe next.pointee {
            let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text))
            strings.append(unsafe bytes.map(UInt8.init(bitPattern:)))
            unsafe next += 1
        }
        return Environment(strings: strings)
    }
}

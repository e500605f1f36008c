import Format
import Glibc
import Mkifs
import ToolSupport

/// The words of the command line that are no options.
struct Operands {
    /// The buildfile, `-` for standard input; nil where there is only a directory.
    let buildfile: Argument?
    /// A directory whose contents come behind the buildfile's.
    let directory: Argument?
    /// The image; `-` for standard output.
    let image: Argument

    /// `[buildfile] [directory] [image]`: the first and the second of two are the directory if they
    /// are one. Up to 6.4 there is none.
    init(_ words: [Argument], _ release: Release) throws(ToolError) {
        guard release >= .v66 else {
            try Self.require(words, 2, "a buildfile and an image")
            if let first = words.first, Self.isDirectory(first) {
                throw ToolError(
                    "\(printable(first.bytes)): found a directory, expected a buildfile")
            }
            (buildfile, directory) = (words.first ?? "-", nil)
            image = words.count > 1 ? words[1] : "-"
            return
        }
        try Self.require(words, 3, "a buildfile, a directory and an image")
        var rest = words[...]
        let isAlone = words.count < 3 && words.first.map(Self.isDirectory) ?? false
        buildfile = isAlone ? nil : rest.popFirst() ?? "-"
        let isNext = words.count == 3 || rest.first.map(Self.isDirectory) ?? false
        directory = isNext ? rest.popFirst() : nil
        image = rest.first ?? "-"
    }

    private static func require(
        _ words: [Argument], _ limit: Int, _ expected: String
    ) throws(ToolError) {
        guard words.count <= limit else {
            throw ToolError("found \(words.count) operands, expected \(expected) at most")
        }
    }

    private static func isDirectory(_ path: Argument) -> Bool {
        var status = stat()
        return unsafe path.withCString { unsafe stat($0, &status) } == 0
            && status.st_mode & S_IFMT == S_IFDIR
    }
}

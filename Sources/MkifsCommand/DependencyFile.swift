import Format
import ToolSupport

/// A rule for Make: the image, and all files that it is made from.
enum DependencyFile {
    /// Writes the rule; every file is a target without a recipe as well, so that one that is gone
    /// stops no build.
    static func write(
        to path: Argument, image: Argument, _ dependencies: [[UInt8]]
    ) throws(ToolError) {
        var seen: Set<[UInt8]> = []
        let files = dependencies.filter { seen.insert($0).inserted }
        var text = escaped(image.bytes) + [UInt8(ascii: ":")]
        for file in files { text += Array(" \\\n  ".utf8) + escaped(file) }
        text += Array("\n".utf8)
        for file in files { text += Array("\n".utf8) + escaped(file) + Array(":\n".utf8) }
        let output = try NewFile(path)
        output.write(text)
        try output.finish()
    }

    /// As Make reads a name: a backslash before blanks, `#` and `:`, two dollars for one.
    private static func escaped(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "#"), UInt8(ascii: ":"):
                [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "$"): [byte, byte]
            default: [byte]
            }
        }
    }
}

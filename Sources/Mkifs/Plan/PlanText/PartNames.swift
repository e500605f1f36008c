/// Names of the files that a plan's parts become: paths below `parts`, made of those in the image.
///
/// Whatever an image says, a name stays below the plan's directory, is one that every file system
/// takes, and belongs to one part alone.
struct PartNames {
    private var files: Set<[[UInt8]]> = []
    private var directories: Set<[[UInt8]]> = []
    /// The number that the next file of a path gets which is used already.
    private var numbers: [[[UInt8]]: Int] = [:]

    private static let folder = Array("parts".utf8)
    /// The longest name, in bytes, without a number behind it.
    private static let nameLimit = 200
    /// The longest path, in bytes and in names; of one that is longer the last name is kept.
    private static let pathLimit = (bytes: 1000, names: 40)

    /// A path that no other part has, made of one that is wanted.
    mutating func unused(for wanted: [UInt8]) -> [[UInt8]] {
        var names = wanted.split(separator: .slash).map { Self.plain($0) }
        let isLong =
            names.count > Self.pathLimit.names
            || names.reduce(0) { $0 + $1.count + 1 } > Self.pathLimit.bytes
        if isLong { names = [Array("long".utf8), names.last ?? []] }
        if names.isEmpty { names = [[]] }
        var path = [Self.folder]
        for name in names.dropLast() {
            path.append(name)
            // A file of the image can have entries below it.
            while files.contains(path) { path[path.count - 1].append(UInt8(ascii: "~")) }
            directories.insert(path)
        }
        path.append(names.last ?? [])
        return numbered(path)
    }

    private mutating func numbered(_ path: [[UInt8]]) -> [[UInt8]] {
        var found = path
        var number = numbers[path, default: 2]
        while files.contains(found) || directories.contains(found) {
            found[found.count - 1] = path[path.count - 1] + Array("~\(number)".utf8)
            number += 1
        }
        numbers[path] = number
        files.insert(found)
        return found
    }

    /// A name of an image as one of a file: what does not print becomes `_`, and so do names that lead
    /// elsewhere.
    private static func plain(_ name: ArraySlice<UInt8>) -> [UInt8] {
        let isText = String(validating: name, as: UTF8.self) != nil
        let plain = name.prefix(nameLimit).map { byte in
            byte < 0x20 || byte == 0x7f || byte >= 0x80 && (!isText || name.count > nameLimit)
                ? UInt8(ascii: "_") : byte
        }
        return plain == [.dot] || plain == [.dot, .dot] ? plain.map { _ in 0x5f } : plain
    }
}

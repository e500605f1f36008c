internal import Format
internal import Glibc

/// What the edits in a stage are of: an image of a file, as the file was.
public struct StageOrigin: Equatable, Sendable {
    /// The file.
    public let path: [UInt8]
    /// Which image of the file, from 1.
    public let number: Int
    /// What tells the file from all others that had its name.
    private let identity: [UInt8]

    /// The `number`th image of a file as it is now.
    public init(of path: [UInt8], _ number: Int) {
        self.path = path
        self.number = number
        identity = FileIdentity.text(at: path)
    }

    /// As it stands in a stage.
    public var text: [UInt8] {
        Array("number \(number)\n".utf8) + identity + Array("image ".utf8) + path + [0x0a]
    }

    /// Reads what stands in the stage at a path; nil where there is none that can be read.
    public init?(inStageAt stage: [UInt8]) {
        let file = unsafe open(cString(stage + Array("/origin".utf8)), O_RDONLY | O_CLOEXEC)
        guard file >= 0, let source = try? FileSource(taking: file),
            let text = try? source.prefix(1 << 16, at: 0)
        else { return nil }
        // The path is the last, for it can hold anything.
        let lines = text.split(separator: 0x0a, maxSplits: 4, omittingEmptySubsequences: false)
        let (first, last) = (Array("number ".utf8), Array("image ".utf8))
        guard lines.count == 5, lines[0].starts(with: first), lines[4].starts(with: last),
            let number = Int(String(decoding: lines[0].dropFirst(first.count), as: UTF8.self)),
            lines[4].last == 0x0a
        else { return nil }
        self.number = number
        path = Array(lines[4].dropFirst(last.count).dropLast())
        identity = lines[1...3].flatMap { $0 + [0x0a] }
    }
}

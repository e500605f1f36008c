internal import Format

/// What the two ends say: a word, and what follows it.
struct ControlMessage: Equatable {
    enum Word: String {
        /// Whether this is the server of what the name means now.
        case hello
        /// It is.
        case here
        /// Its mount is gone, and the name may be another's by now.
        case gone
        /// What is going on.
        case status
        /// Make the edits an image; `force` behind it does so although another file has the
        /// image's name by now.
        case commit
        /// Make the edits an image, and lay out anew what can move.
        case compact
        /// Forget the edits when the mount ends.
        case discard
        /// Bytes done, and bytes in all.
        case progress
        /// It is done: how it came out.
        case done
        /// It could not be done: why.
        case failed
    }

    let word: Word
    let rest: String

    init(_ word: Word, _ rest: String = "") {
        self.word = word
        self.rest = rest
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let word = parts.first.flatMap({ Word(rawValue: String($0)) }) else { return nil }
        self.init(word, parts.count > 1 ? String(parts[1]) : "")
    }

    var text: String { rest.isEmpty ? word.rawValue : word.rawValue + " " + rest }
}

/// What a writable mount is doing.
public struct ControlStatus: Equatable, Sendable {
    /// Where it is mounted, or was.
    public var mountPoint: [UInt8]
    /// Where its new image goes.
    public var target: [UInt8]
    /// Whether there are changes that are in no image yet.
    public var hasEdits: Bool
    /// How much of the new image is done, in percent; nil while nothing is saved.
    public var percent: Int?

    /// A status.
    public init(mountPoint: [UInt8], target: [UInt8], hasEdits: Bool, percent: Int? = nil) {
        self.mountPoint = mountPoint
        self.target = target
        self.hasEdits = hasEdits
        self.percent = percent
    }

    var text: String {
        "\(hasEdits ? 1 : 0) \(percent ?? -1) \(hexDigits(mountPoint)) \(hexDigits(target))"
    }

    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, let percent = Int(words[1]),
            let mountPoint = Self.bytes(words[2]), let target = Self.bytes(words[3])
        else { return nil }
        self.init(
            mountPoint: mountPoint, target: target, hasEdits: words[0] == "1",
            percent: percent < 0 ? nil : percent)
    }

    private static func bytes(_ digits: Substring) -> [UInt8]? {
        let digits = Array(digits)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(digits[place...(place + 1)]), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}

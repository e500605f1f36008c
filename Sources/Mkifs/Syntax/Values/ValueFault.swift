/// Why the text of an attribute is no value for it.
public struct ValueFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// What stands there.
    public let found: [UInt8]
    /// What should.
    public let expected: String
    /// What to write instead, where that can be guessed.
    public let hint: String?

    init(_ found: some Sequence<UInt8>, _ expected: String, hint: String? = nil) {
        self.found = Array(found)
        self.expected = expected
        self.hint = hint
    }

    /// `found '...', expected ...`.
    public var description: String { "found \(quoted(found)), expected \(expected)" }
}

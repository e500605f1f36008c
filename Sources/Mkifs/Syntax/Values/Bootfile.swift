/// The value of `virtual=` and `physical=`: which bootfile makes the image start.
public struct Bootfile: Equatable, Sendable {
    /// The processor, as in `x86_64`; nil where the value names none.
    public let cpu: [UInt8]?
    /// The file's name without `.boot`.
    public let name: [UInt8]
    /// What the image filter is given; nil without a blank in the value.
    public let arguments: [UInt8]?

    /// `[cpu,]name[ arguments]`. A slash parts the processor as a comma does, except in a value
    /// that begins with one: that is a path.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        let head = text.prefix { $0 != .blank && $0 != .tab }
        let isPath = head.first == .slash
        let end = head.firstIndex { $0 == UInt8(ascii: ",") || (!isPath && $0 == .slash) }
        cpu = end.map { Array(head[..<$0]) }
        name = Array(end.map { head[($0 + 1)...] } ?? head)
        arguments = head.count < text.count ? Array(text[(head.count + 1)...]) : nil
        guard cpu?.isEmpty != true, !name.isEmpty else {
            throw ValueFault(text, "[cpu,]bootfile[ arguments]")
        }
    }
}

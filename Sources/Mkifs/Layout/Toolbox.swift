internal import Format

/// What a layout needs from outside: files of the host, and programs that are run on them.
public final class Toolbox: Sendable {
    /// Addresses that a linker is given.
    struct Addresses {
        let header: UInt64
        let text: UInt64
        let data: UInt64
        let kind: Kind
        let isVirtual: Bool

        enum Kind { case startup, bootstrap, other }
    }

    private let environment: [[UInt8]]

    /// Programs run with these variables, `NAME=value` each.
    public init(environment: [[UInt8]]) { self.environment = environment }

    /// The bytes of a content.
    func source(of content: Content) throws(MkifsError) -> any ByteSource {
        switch content {
        case .bytes(let bytes): return MemorySource(bytes)
        case .file(let file): return LazyFileSource(file)
        case .source(let source): return source
        case .filtered: throw .refused("no filters yet")
        }
    }

    func linked(
        _ source: any ByteSource, named name: [UInt8], _ link: Plan.Link, _ addresses: Addresses
    ) throws(MkifsError) -> any ByteSource {
        throw .refused("no linker yet")
    }
}

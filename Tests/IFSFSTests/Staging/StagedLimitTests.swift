import Format
import IFSFS
import TestSupport
import Testing

/// What an IFS cannot hold is refused by the call that asks for it.
struct StagedLimitTests {
    private let image: StagedImage
    private var fileSystem: StagedFileSystem { image.fileSystem }

    init() throws {
        image = try StagedImage(
            ImageBuilder([.file("file", Array("contents".utf8)), .directory("dir")]).build().bytes)
    }

    private func make(
        _ name: [UInt8], in directory: NodeID = .root, _ kind: NodeKind = .file,
        device: (UInt32, UInt32) = (0, 0)
    ) throws(FileSystemError) -> NodeID {
        var new = NewNode(kind, permissions: 0o644)
        new.device = device
        return try fileSystem.make(name, in: directory, new).node
    }

    private static func name(_ count: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(ascii: "n"), count: count)
    }

    /// 1023 bytes without the leading slash: three directories of 255 and what is left.
    @Test func aPathHas1023Bytes() throws {
        var directory = NodeID.root
        for _ in 0..<3 { directory = try make(Self.name(255), in: directory, .directory) }
        _ = try make(Self.name(255), in: directory)
        let top = try fileSystem.lookup(Self.name(255), in: .root).node
        #expect(throws: FileSystemError.nameTooLong) {
            try fileSystem.rename(
                Self.name(255), in: .root, to: Self.name(255),
                in: try fileSystem.lookup("dir", in: .root).node, .replace)
        }
        #expect(throws: FileSystemError.nameTooLong) { try make(Self.name(256)) }
        #expect(throws: FileSystemError.nameTooLong) {
            _ = try make(Self.name(1), in: try make(Self.name(254), in: directory, .directory))
        }
        #expect(try image.commit.run() == .written)
        let again = try StagedImage.open(image.path).volume
        #expect(again.findings == [] && again.lookup(Self.name(255), in: .root) != nil)
        #expect(try fileSystem.attributes(of: top).kind == .directory)
    }

    @Test func aFileHasLessThan4GiB() throws {
        let file = try make(Array("sparse".utf8))
        var change = AttributeChange()
        change.byteCount = 1 << 32
        #expect(throws: FileSystemError.tooLarge) { try fileSystem.change(file, change) }
        change.byteCount = 1 << 32 - 1
        #expect(throws: FileSystemError.noSpace) { try fileSystem.change(file, change) }
        let byte: [UInt8] = [1]
        #expect(throws: FileSystemError.tooLarge) {
            try byte.withUnsafeBytes { try fileSystem.write($0, to: file, at: 1 << 32) }
        }
        #expect(throws: FileSystemError.tooLarge) {
            try byte.withUnsafeBytes { try fileSystem.write($0, to: file, at: .max) }
        }
        #expect(try fileSystem.attributes(of: file).byteCount == 0)
    }

    @Test(arguments: [(-1, false), (0, true), (4_294_967_295, true), (4_294_967_296, false)])
    func timesAreUnsigned32BitNumbers(time: Int64, fits: Bool) throws {
        let file = try fileSystem.lookup("file", in: .root).node
        var change = AttributeChange()
        change.modified = time
        if fits {
            #expect(try fileSystem.change(file, change).modified == time)
        } else {
            #expect(throws: FileSystemError.outOfRange) { try fileSystem.change(file, change) }
        }
    }

    @Test func devicesHaveSixteenBits() throws {
        let made = try make(Array("device".utf8), in: .root, .characterDevice, device: (63, 1023))
        #expect(try fileSystem.attributes(of: made).device == (63, 1023))
        for device in [(64, 0), (0, 1024)] as [(UInt32, UInt32)] {
            #expect(throws: FileSystemError.outOfRange) {
                try make(Array("other".utf8), in: .root, .blockDevice, device: device)
            }
        }
        #expect(try image.commit.run() == .written)
        let again = try StagedImage.open(image.path).volume
        let node = try #require(again.lookup(Array("device".utf8), in: .root))
        let device = try #require(again.attributes(of: node)).device
        #expect(device == (63, 1023))
    }

    @Test func noAttributeIsKept() throws {
        let file = try fileSystem.lookup("file", in: .root).node
        #expect(throws: FileSystemError.unsupported) {
            try fileSystem.setExtendedAttribute("user.a", [1], of: file, .either)
        }
    }
}

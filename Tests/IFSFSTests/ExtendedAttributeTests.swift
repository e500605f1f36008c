import Format
import IFSFS
import TestSupport
import Testing

/// Extended attributes as a mount gives them.
struct ExtendedAttributeTests {
    private static let file = DictionaryVolume.numbers["file"] ?? .root
    private static let dir = DictionaryVolume.numbers["dir"] ?? .root

    private static func fileSystem(lists: Bool) -> VolumeFileSystem {
        VolumeFileSystem(DictionaryVolume.sample(), listsExtendedAttributes: lists)
    }

    @Test(arguments: [false, true])
    func aValueIsAnsweredByItsNameBehindUser(lists: Bool) throws {
        let fileSystem = Self.fileSystem(lists: lists)
        #expect(
            try fileSystem.extendedAttribute("user.x.size", of: Self.file) == Array("8".utf8))
        #expect(
            try fileSystem.extendedAttribute("user.x.note", of: .root) == Array("the root".utf8))
    }

    /// Extended attributes are answered by name, and listed only if that was asked for.
    @Test func namesAreListedOnlyIfThatIsAskedFor() throws {
        let quiet = Self.fileSystem(lists: false)
        let open = Self.fileSystem(lists: true)
        for node in DictionaryVolume.numbers.values {
            #expect(try quiet.extendedAttributeNames(of: node) == [])
        }
        #expect(
            try open.extendedAttributeNames(of: Self.file) == ["user.x.note", "user.x.size"])
        #expect(try open.extendedAttributeNames(of: .root) == ["user.x.note"])
        #expect(try open.extendedAttributeNames(of: Self.dir) == [])
    }

    @Test(
        arguments: [
            "x.size", "user.", "user", "user.x", "user.x.sizes", "user.user.x.size", "USER.x.size",
            "security.capability", "system.posix_acl_access", "trusted.x.size", "",
        ], [false, true])
    func anyOtherNameIsNoAttribute(name: String, lists: Bool) throws {
        #expect(throws: FileSystemError.noAttribute) {
            try Self.fileSystem(lists: lists).extendedAttribute(name, of: Self.file)
        }
    }

    @Test func aNameOfAnotherNodeIsNoAttribute() throws {
        for node in [.root, Self.dir, DictionaryVolume.absent] {
            #expect(throws: FileSystemError.noAttribute) {
                try Self.fileSystem(lists: true).extendedAttribute("user.x.size", of: node)
            }
        }
    }

    @Test func aListedNameCanBeAskedFor() throws {
        let fileSystem = Self.fileSystem(lists: true)
        for name in try fileSystem.extendedAttributeNames(of: Self.file) {
            #expect(try !fileSystem.extendedAttribute(name, of: Self.file).isEmpty)
        }
    }

    @Test func aVolumesErrorIsCarried() {
        var volume = DictionaryVolume.sample()
        volume.failure = DictionaryVolume.damage
        let fileSystem = VolumeFileSystem(volume, listsExtendedAttributes: true)
        let carried = FileSystemError.format(DictionaryVolume.damage)
        #expect(throws: carried) { try fileSystem.extendedAttributeNames(of: .root) }
        #expect(throws: carried) { try fileSystem.extendedAttribute("user.x.note", of: .root) }
    }
}

import Foundation
import TestSupport
import Testing

/// `user.ifs.*` does not change, and goes into a copy only where it is listed.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct AttributeCopyTests {
    @Test func noneIsSetOrRemoved() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(ExtendedAttributeTests.image, "xattr")
        for name in ["user.ifs.size", "user.ifs.new", "user.new"] {
            let set = (mount / "data").withCString { path in
                Calls.failure { setxattr(path, name, "1", 1, 0) }
            }
            #expect(set == SystemError(code: EROFS))
            let removed = (mount / "data").withCString { path in
                Calls.failure { removexattr(path, name) }
            }
            #expect(removed == SystemError(code: EROFS))
        }
        #expect(try ExtendedAttributeTests.text(mount / "data", "size") == "100000")
    }

    static let copies: [(name: String, script: Word)] = [
        ("cp -a", "cp -a \"$1\" \"$2\""),
        ("rsync -aX", "rsync -aX \"$1/\" \"$2\""),
        (
            "tar --xattrs",
            "mkdir \"$2\"; tar -C \"$1\" --xattrs -cf - . | tar -C \"$2\" --xattrs -xpf -"
        ),
    ]

    /// Whether the temporary directory keeps attributes.
    static let keepsAttributes: Bool = {
        guard let scratch = try? Scratch(), let file = try? scratch.file("x", []) else {
            return false
        }
        defer { scratch.end() }
        return file.withCString { setxattr($0, "user.x", "1", 1, 0) } == 0
    }()

    @Test(
        .enabled(if: keepsAttributes, "the temporary directory keeps no attributes"),
        arguments: copies.indices, [false, true])
    func aCopyHasThemOnlyIfTheyAreListed(index: Int, isListed: Bool) throws {
        let (name, script) = Self.copies[index]
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(ExtendedAttributeTests.image)
        let mount = try scratch.mount(image, isListed ? "xattr" : "ro")
        let copy = scratch / "copy"
        let copied = try shell(script, mount.path, copy)
        #expect(copied.status == 0 && copied.errors.isEmpty, "\(name): \(copied)")
        for path in try [""] + Calls.tree(mount.path) {
            #expect(
                try Set(Calls.attributeNames(copy / path))
                    == Set(Calls.attributeNames(mount / path)), "\(name), \(path)")
        }
        if isListed { #expect(try ExtendedAttributeTests.text(copy / "data", "size") == "100000") }
        #expect(try Calls.attributeNames(copy / "data").isEmpty == !isListed)
    }
}

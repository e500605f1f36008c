import Foundation
import TestSupport
import Testing

/// File handles, which NFS servers give out, outlive a mount.
@Suite(.needsFuse, .needsRoot, .timeLimit(.minutes(20)))
struct HandleTests {
    private typealias Handle = NodeHandle

    private func inode(_ descriptor: Int32) throws -> UInt64 {
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { throw SystemError(code: errno) }
        return UInt64(found.st_ino)
    }

    private func inode(_ path: Word) throws -> UInt64 { UInt64(try Calls.status(path).st_ino) }

    /// A mount of the image in which nothing has been looked up yet.
    private func again(_ scratch: Scratch, _ mount: Mount, _ options: Word...) throws -> Mount {
        try mount.unmount()
        return try options.isEmpty
            ? scratch.mount(scratch / "x.ifs") : scratch.mount(scratch / "x.ifs", options[0])
    }

    /// A file handle, such as NFS uses, is good at every mount of the same bytes.
    @Test(arguments: ["dir/file", "unlisted/deep/file", "first", "setuid"] as [Word])
    func aFileIsOpenedAfterARemount(path: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let before = try scratch.mount(Samples.everyKind)
        let handle = try Handle(before / path)
        let (number, contents) = try (inode(before / path), Calls.contents(before / path))
        let mount = try again(scratch, before)
        try handle.open(in: mount.path) { descriptor throws in
            #expect(try inode(descriptor) == number)
            #expect(try Calls.bytes(of: descriptor, at: 0, count: 1 << 16) == contents)
        }
        #expect(try Handle(mount / path) == handle)
    }

    @Test func theNamesOfOneFileHaveOneHandle() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind)
        #expect(try Handle(mount / "first") == Handle(mount / "second"))
        #expect(try Handle(mount / "first") != Handle(mount / "setuid"))
    }

    @Test(arguments: ["", "dir", "dir/sub", "unlisted/deep"] as [Word])
    func aDirectoryIsOpenedAfterARemount(path: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let before = try scratch.mount(Samples.everyKind)
        let handle = try Handle(before / path)
        let names = try Calls.names(before / path)
        let (own, parent) = try (inode(before / path), inode(before / path / ".."))
        let mount = try again(scratch, before)
        try handle.open(in: mount.path, O_RDONLY | O_DIRECTORY) { descriptor throws in
            #expect(try inode(descriptor) == own)
            let here = Word("/proc/self/fd/\(descriptor)/.")
            #expect(try Calls.names(here) == names)
            // Nobody has walked here by names: the kernel has to ask for the parent.
            if !path.bytes.isEmpty { #expect(try inode(here / "..") == parent) }
        }
    }

    @Test func aSymbolicLinkHasAHandleOfItsOwn() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let before = try scratch.mount(Samples.everyKind)
        let link = try Handle(before / "link")
        let followed = try Handle(before / "link", Linux.followLink)
        #expect(try followed == Handle(before / "dir/file"))
        #expect(link != followed)
        let number = try inode(before / "link")
        let mount = try again(scratch, before)
        try link.open(in: mount.path, Linux.pathOnly) { descriptor throws in
            #expect(try inode(descriptor) == number)
            var target = [CChar](repeating: 0, count: 100)
            let count = readlinkat(descriptor, "", &target, target.count)
            #expect(
                target.prefix(max(0, count)).map(UInt8.init(bitPattern:)) == Array("dir/file".utf8))
        }
        #expect(throws: SystemError(code: ELOOP)) { try link.open(in: mount.path) { _ in } }
        try followed.open(in: mount.path) { descriptor throws in
            #expect(
                try Calls.bytes(of: descriptor, at: 0, count: 100) == Array("contents\n".utf8))
        }
    }

    /// Every node of the tree, taken from one mount and opened in the next.
    @Test func everyNodeIsFoundByItsHandle() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let before = try scratch.mount(Samples.everyKind)
        let nodes = try ([""] + Calls.tree(before.path)).map { path in
            try (path: path, handle: Handle(before / path), inode: inode(before / path))
        }
        let mount = try again(scratch, before)
        for node in nodes.reversed() {
            try node.handle.open(in: mount.path, Linux.pathOnly) { descriptor throws in
                #expect(try inode(descriptor) == node.inode, "\(node.path)")
            }
        }
    }

    /// As when an NFS server is started anew with another image in the same place.
    @Test func theHandleOfANodeThatIsMissingIsStale() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let before = try scratch.mount(Samples.ordinary)
        let handle = try Handle(before / "etc/hosts")
        try before.unmount()
        let mount = try scratch.mount(ImageBuilder([.file("only", "1")]))
        #expect(throws: SystemError(code: ESTALE)) { try handle.open(in: mount.path) { _ in } }
        #expect(try Calls.contents(mount / "only") == Array("1".utf8))
    }

    @Test func handlesHoldWithSubdirectoriesToo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let before = try scratch.mount(image, "subdir=unlisted")
        let nodes = try (["", "deep", "deep/file"] as [Word]).map { path in
            try (handle: Handle(before / path), inode: inode(before / path))
        }
        let mount = try again(scratch, before, "subdir=unlisted")
        for node in nodes {
            try node.handle.open(in: mount.path, Linux.pathOnly) { descriptor throws in
                #expect(try inode(descriptor) == node.inode)
            }
        }
        try nodes[1].handle.open(in: mount.path, O_RDONLY | O_DIRECTORY) { descriptor throws in
            #expect(try inode(Word("/proc/self/fd/\(descriptor)/..")) == 1)
        }
    }
}

import Format
import Foundation
import Mkifs
import TestSupport
import Testing

@testable import IFSFS

/// A directory that is changed through a mount: what is kept beside it, and what is refused.
struct DirectoryTests {
    private static let isRoot = geteuid() == 0

    private func make(
        _ name: String, _ staged: StagedDirectory, _ kind: NodeKind = .file,
        in directory: NodeID = .root, _ change: (inout NewNode) -> Void = { _ in }
    ) throws -> NodeID {
        let owner: (UInt32, UInt32) =
            staged.fileSystem.isPrivileged ? (geteuid(), getegid()) : (65534, 65534)
        var new = NewNode(kind, permissions: 0o644, user: owner.0, group: owner.1)
        change(&new)
        return try staged.fileSystem.make(Array(name.utf8), in: directory, new).node
    }

    private func write(_ text: String, _ node: NodeID, _ staged: StagedDirectory) throws {
        try Array(text.utf8).withUnsafeBytes {
            try staged.fileSystem.write($0, to: node, at: 0)
        }
    }

    private func hasStage(_ staged: StagedDirectory) -> Bool {
        FileManager.default.fileExists(atPath: staged.stage)
    }

    // MARK: Names

    @Test func aLinkThatLeadsOutsideIsNotFollowed() throws {
        let staged = try StagedDirectory { folder in
            symlink("/etc", folder + "/out")
            symlink("/etc/passwd", folder + "/file")
        }
        let fileSystem = staged.fileSystem
        let (link, file) = (
            try fileSystem.lookup("out", in: .root), try fileSystem.lookup("file", in: .root)
        )
        #expect(link.kind == .symlink && file.kind == .symlink)
        #expect(throws: FileSystemError.notDirectory) {
            try fileSystem.lookup("passwd", in: link.node)
        }
        #expect(throws: FileSystemError.invalid) { try fileSystem.bytes(file.node) }
        #expect(throws: FileSystemError.invalid) { try fileSystem.open(file.node) }
        #expect(throws: FileSystemError.notDirectory) { try make("x", staged, in: link.node) }
    }

    /// Somebody puts a link in the place of a directory that was met already.
    @Test func aDirectoryThatBecameALinkIsNotFollowed() throws {
        let staged = try StagedDirectory { folder in
            mkdir(folder + "/sub", 0o755)
            _ = FileManager.default.createFile(atPath: folder + "/sub/passwd", contents: nil)
        }
        let folder = try staged.fileSystem.lookup("sub", in: .root).node
        let file = try staged.fileSystem.lookup("passwd", in: folder).node
        try FileManager.default.removeItem(atPath: staged.path + "/sub")
        symlink("/etc", staged.path + "/sub")
        #expect(throws: FileSystemError.self) { try staged.fileSystem.bytes(file) }
        #expect(throws: FileSystemError.self) { try make("x", staged, in: folder) }
    }

    @Test(arguments: ["..", ".", "", "a/b", "../x"])
    func aNameLeadsNowhereElse(name: String) throws {
        let staged = try StagedDirectory()
        #expect(throws: FileSystemError.invalid) {
            try staged.fileSystem.lookup(name, in: .root)
        }
        #expect(throws: FileSystemError.invalid) { try make(name, staged) }
        #expect(throws: FileSystemError.invalid) {
            try staged.fileSystem.remove(Array(name.utf8), from: .root, isDirectory: false)
        }
    }

    @Test func namesOfOneFileAreOneNode() throws {
        let staged = try StagedDirectory { folder in
            _ = FileManager.default.createFile(atPath: folder + "/a", contents: Data("one".utf8))
            link(folder + "/a", folder + "/b")
        }
        let nodes = try staged.fileSystem.list(.root).dropFirst(2).map(\.attributes.node)
        #expect(nodes.count == 2 && Set(nodes).count == 1)
        try staged.fileSystem.remove(Array("a".utf8), from: .root, isDirectory: false)
        #expect(try staged.fileSystem.bytes(nodes[0]) == Array("one".utf8))
        #expect(try staged.fileSystem.lookup("b", in: .root).node == nodes[0])
    }

    /// A listing in pieces shows every other name once, whatever comes and goes meanwhile.
    @Test func aListingInPiecesSkipsNothing() throws {
        let staged = try StagedDirectory()
        for number in 0..<40 { _ = try make("f\(number)", staged) }
        var seen: [String] = []
        var next = 0
        while case let piece = try staged.fileSystem.list(.root, from: next, most: 3),
            let last = piece.last
        {
            seen += piece.map(\.text)
            next = last.index + 1
            if next < 1 << 41, seen.count == 12 {
                for gone in ["f39", "f0"] {
                    try staged.fileSystem.remove(Array(gone.utf8), from: .root, isDirectory: false)
                }
                _ = try make("aaa", staged)
            }
        }
        let expected = Set((1..<39).map { "f\($0)" } + [".", ".."])
        #expect(Set(seen).isSuperset(of: expected) && Set(seen).count == seen.count)
    }

    // MARK: Open files

    @Test func anOpenFileLivesOnWithoutItsName() throws {
        let staged = try StagedDirectory()
        let file = try make("file", staged)
        try staged.fileSystem.open(file)
        try write("before", file, staged)
        try staged.fileSystem.rename(
            Array("file".utf8), in: .root, to: Array("other".utf8), in: .root, .replace)
        try staged.fileSystem.remove(Array("other".utf8), from: .root, isDirectory: false)
        try write("after.", file, staged)
        #expect(try staged.fileSystem.bytes(file) == Array("after.".utf8))
        var change = AttributeChange()
        change.byteCount = 2
        #expect(try staged.fileSystem.change(file, change).linkCount == 0)
        #expect(try staged.fileSystem.bytes(file) == Array("af".utf8))
        staged.fileSystem.close(file)
        #expect(throws: FileSystemError.notFound) { try staged.fileSystem.bytes(file) }
    }

    @Test func manyFilesNeedNoDescriptors() throws {
        let staged = try StagedDirectory()
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for number in 0..<2000 {
            let file = try make("f\(number)", staged)
            try write("x", file, staged)
        }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        #expect(after < before + 200)
    }

    // MARK: What the host refuses

    @Test(.enabled(if: isRoot, "rights are taken away from root"))
    func whatIsKeptGoesWithItsFile() throws {
        let staged = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            let folder = try make("folder", staged, .directory) { $0.permissions = 0o755 }
            let device = try make("null", staged, .characterDevice, in: folder) {
                ($0.device, $0.permissions) = ((1, 3), 0o666)
            }
            var change = AttributeChange()
            (change.user, change.group, change.modified) = (0, 12, 99)
            _ = try staged.fileSystem.change(device, change)
            try staged.fileSystem.rename(
                Array("folder".utf8), in: .root, to: Array("moved".utf8), in: .root, .replace)
            try staged.reopen()
            let moved = try staged.fileSystem.lookup("moved", in: .root).node
            let found = try staged.fileSystem.lookup("null", in: moved)
            #expect(found.kind == .characterDevice && found.device == (1, 3))
            #expect(found.user == 0 && found.group == 12 && found.permissions == 0o666)
            #expect(try Fixtures.bytes(URL(fileURLWithPath: staged.path + "/moved/null")) == [])
            try staged.fileSystem.remove(Array("null".utf8), from: moved, isDirectory: false)
            _ = try make("null", staged, in: moved)
            #expect(try staged.fileSystem.lookup("null", in: moved).kind == .file)
            try staged.reopen()
            #expect(try staged.fileSystem.keptAttributes().isEmpty)
        }
    }

    /// To a mount, modes are data: whoever has mounted may go on reading and writing.
    @Test(.enabled(if: isRoot, "rights are taken away from root"))
    func noModeKeepsTheServerOut() throws {
        let staged = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            let folder = try make("folder", staged, .directory) { $0.permissions = 0 }
            let file = try make("file", staged, in: folder) { $0.permissions = 0o444 }
            try write("text", file, staged)
            var change = AttributeChange()
            change.permissions = 0
            #expect(try staged.fileSystem.change(file, change).permissions == 0)
            #expect(try staged.fileSystem.bytes(file) == Array("text".utf8))
            try write("TEXT", file, staged)
            #expect(try staged.fileSystem.attributes(of: file).permissions == 0)
            #expect(try staged.fileSystem.attributes(of: folder).permissions == 0)
        }
    }

    @Test(.enabled(if: isRoot, "rights are taken away from root"))
    func whatIsAnothersIsNotWrittenTo() throws {
        let staged = try StagedDirectory(asUser: true) { folder in
            _ = FileManager.default.createFile(
                atPath: folder + "/file", contents: Data("mine".utf8))
        }
        try StagedDirectory.asUser {
            let file = try staged.fileSystem.lookup("file", in: .root).node
            #expect(throws: FileSystemError.host(EACCES)) { try write("x", file, staged) }
            var change = AttributeChange()
            (change.permissions, change.modified) = (0o600, 5)
            let found = try staged.fileSystem.change(file, change)
            #expect(found.permissions == 0o600 && found.modified == 5)
        }
    }

    // MARK: What no image holds

    @Test func whatNoImageHoldsIsRefused() throws {
        let staged = try StagedDirectory()
        let file = try make("file", staged)
        var change = AttributeChange()
        change.byteCount = 1 << 32
        #expect(throws: FileSystemError.tooLarge) { try staged.fileSystem.change(file, change) }
        change = AttributeChange()
        change.modified = -1
        #expect(throws: FileSystemError.outOfRange) { try staged.fileSystem.change(file, change) }
        #expect(throws: FileSystemError.unsupported) { try make("socket", staged, .socket) }
        #expect(throws: FileSystemError.outOfRange) {
            try make("device", staged, .characterDevice) { $0.device = (64, 0) }
        }
        #expect(throws: FileSystemError.nameTooLong) {
            try make(String(repeating: "n", count: 256), staged)
        }
        #expect(throws: FileSystemError.unsupported) {
            try staged.fileSystem.setExtendedAttribute("user.a", [1], of: file, .either)
        }
    }

    /// 1023 bytes without the leading slash: three directories of 255 and what is left.
    @Test func aPathHas1023Bytes() throws {
        let staged = try StagedDirectory()
        let name = String(repeating: "n", count: 255)
        _ = try make("long", staged, .directory)
        var directory = NodeID.root
        for _ in 0..<3 { directory = try make(name, staged, .directory, in: directory) }
        _ = try make(name, staged, in: directory)
        let other = try staged.fileSystem.lookup("long", in: .root).node
        #expect(throws: FileSystemError.nameTooLong) {
            try staged.fileSystem.rename(
                Array(name.utf8), in: .root, to: Array(name.utf8), in: other, .replace)
        }
        let last = try make(String(name.dropLast()), staged, .directory, in: directory)
        #expect(throws: FileSystemError.nameTooLong) { try make("x", staged, in: last) }
    }

    // MARK: The stage

    @Test func aStageIsThereFromTheFirstChangeToTheImage() throws {
        let staged = try StagedDirectory()
        _ = try staged.fileSystem.list(.root)
        #expect(!hasStage(staged))
        _ = try make("file", staged)
        #expect(hasStage(staged) && staged.fileSystem.isChanged)
        try staged.reopen()
        #expect(staged.fileSystem.isChanged)
        #expect(try staged.commit().run() == .written)
        #expect(!hasStage(staged) && !staged.fileSystem.isChanged)
        #expect(try staged.commit().run() == .unchanged)
    }

    /// As a server leaves it that was killed while it removed it.
    @Test func aStageThatKnowsNothingGoes() throws {
        let staged = try StagedDirectory()
        _ = try make("file", staged)
        try staged.fileSystem.stage.add(DirectoryEdit.bytes(of: [.saved]))
        try staged.reopen()
        #expect(!hasStage(staged) && !staged.fileSystem.isChanged)
        _ = try make("other", staged)
        #expect(hasStage(staged))
    }

    @Test func aDirectoryIsChangedByOneAtATime() throws {
        let staged = try StagedDirectory()
        let path = Array(staged.path.utf8)
        #expect(throws: FileSystemError.busy) {
            _ = try DirectoryFileSystem(
                at: path, Stage(at: Array(staged.beside("other").utf8), of: []))
        }
    }

    @Test func whatIsKeptOfAnotherDirectoryStays() throws {
        let staged = try StagedDirectory()
        _ = try make("file", staged)
        try staged.fileSystem.synchronize(.root)
        let origin = staged.stage + "/origin"
        try Data("inode 1\ndirectory /other\n".utf8).write(to: URL(fileURLWithPath: origin))
        #expect(throws: FileSystemError.replaced) { try staged.reopen() }
        #expect(hasStage(staged))
    }

    /// A server may be killed between what it tells the stage and what it does.
    @Test(.enabled(if: isRoot, "rights are taken away from root"), arguments: [false, true])
    func whatWasToldAndNotDoneDoesNotCount(isDone: Bool) throws {
        let staged = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            _ = try make("null", staged, .characterDevice) { $0.device = (1, 3) }
            var status = stat()
            #expect(lstat(staged.path + "/null", &status) == 0)
            let inode = UInt64(status.st_ino)
            let edit = DirectoryEdit.moved(
                Array("null".utf8), to: Array("zero".utf8), inode: inode)
            try staged.fileSystem.stage.add(DirectoryEdit.bytes(of: [edit]))
            if isDone { rename(staged.path + "/null", staged.path + "/zero") }
            try staged.reopen()
            let found = try staged.fileSystem.lookup(isDone ? "zero" : "null", in: .root)
            #expect(found.kind == .characterDevice && found.device == (1, 3))
        }
    }

    // MARK: The image

    @Test(.enabled(if: isRoot, "rights are taken away from root"))
    func whatIsKeptIsInTheImage() throws {
        let staged = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            _ = try make("null", staged, .characterDevice) {
                ($0.device, $0.permissions, $0.user) = ((1, 3), 0o622, 3)
            }
            let file = try make("file", staged)
            var change = AttributeChange()
            (change.group, change.permissions, change.modified) = (9, 0o7711, 77)
            _ = try staged.fileSystem.change(file, change)
            #expect(try staged.commit().run() == .written)
        }
        let volume = try StagedImage.open(Array(staged.beside("out.ifs").utf8)).volume
        let null = try #require(volume.lookup(Array("null".utf8), in: .root))
        let file = try #require(volume.lookup(Array("file".utf8), in: .root))
        let (device, plain) = (
            try #require(volume.attributes(of: null)), try #require(volume.attributes(of: file))
        )
        #expect(device.kind == .characterDevice && device.device == (1, 3) && device.user == 3)
        #expect(device.permissions == 0o622)
        #expect(plain.group == 9 && plain.permissions == 0o7711 && plain.modified == 77)
        #expect(hasStage(staged))
    }

    @Test func anotherDirectoryInItsPlaceIsNotBuilt() throws {
        let staged = try StagedDirectory()
        _ = try make("file", staged)
        try FileManager.default.moveItem(atPath: staged.path, toPath: staged.beside("moved"))
        mkdir(staged.path, 0o755)
        #expect(throws: CommitError.self) { try staged.commit().run() }
        #expect(!FileManager.default.fileExists(atPath: staged.beside("out.ifs")))
        #expect(staged.fileSystem.isChanged)
    }

    /// The image would take the place of what it is made from.
    @Test func theBuildfileIsNotReplaced() throws {
        let staged = try StagedDirectory()
        let path = staged.beside("out.ifs")
        try Data("[uid=0] file\n".utf8).write(to: URL(fileURLWithPath: path))
        _ = try make("file", staged)
        #expect(throws: CommitError.self) { try staged.commit(path).run() }
        #expect(try Fixtures.bytes(URL(fileURLWithPath: path)) == Array("[uid=0] file\n".utf8))
    }

    /// What was done holds, whatever has come to be under the name since.
    @Test(.enabled(if: isRoot, "rights are taken away from root"))
    func whatWasDoneCounts() throws {
        let staged = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            _ = try make("null", staged, .characterDevice) { $0.device = (1, 3) }
            try staged.fileSystem.rename(
                Array("null".utf8), in: .root, to: Array("zero".utf8), in: .root, .replace)
            _ = FileManager.default.createFile(atPath: staged.path + "/new", contents: nil)
            rename(staged.path + "/new", staged.path + "/zero")
            try staged.reopen()
            #expect(try staged.fileSystem.lookup("zero", in: .root).kind == .characterDevice)
        }
    }

    @Test func editsReadBackAsTheyWereWritten() {
        var given = HostAttributes()
        let path = Array("a/b".utf8)
        var edits: [DirectoryEdit] = [
            .changed, .saved, .done, .kept(path, given), .removed(path, inode: 7),
            .moved(path, to: [1], inode: .max), .exchanged([2], path, inode: 0),
        ]
        (given.user, given.modified) = (3, -1)
        edits.append(.kept(path, given))
        (given.permissions, given.group) = (0o4755, .max)
        given.device = .init(.blockDevice, major: 63, minor: 1023)
        edits.append(.kept([], given))
        let bytes = DirectoryEdit.bytes(of: edits)
        #expect(DirectoryEdit.edits(in: bytes) == edits)
        for count in 1..<bytes.count {
            let cut = DirectoryEdit.edits(in: Array(bytes.prefix(count)))
            #expect(cut.map { edits.starts(with: $0) && $0.count < edits.count } ?? true)
        }
    }
}

import Foundation
import TestSupport
import Testing

/// What cannot be mounted is refused in one line, with a status that mount(8) knows, and nothing is
/// mounted then.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct RefusalTests {
    /// In the words, `IMAGE` is a good image, `DIR` a good mount point, and `HERE` their directory.
    struct Case: CustomStringConvertible, Sendable {
        let words: String
        let status: Int32
        /// What is said behind the tool's name.
        let message: String

        init(_ words: String, _ status: Int32, _ message: String) {
            self.words = words
            self.status = status
            self.message = message
        }

        var description: String { words }
    }

    static let usage: [Case] = [
        Case("", 1, "found 0 operands, expected IMAGE and DIRECTORY"),
        Case("IMAGE", 1, "found 1 operands, expected IMAGE and DIRECTORY"),
        Case("IMAGE DIR DIR", 1, "found 3 operands, expected IMAGE and DIRECTORY"),
        Case("IMAGE DIR -q", 1, "unknown option '-q'; 'mount.ifs --help' lists them"),
        Case(
            "IMAGE DIR --foregruond", 1,
            "unknown option '--foregruond'; did you mean '--foreground'?"),
        Case("IMAGE DIR -o", 1, "option '-o' needs a value, OPTION,..."),
        Case(
            "IMAGE DIR -o allow_othre", 1,
            "unknown option 'allow_othre'; did you mean 'allow_other'?"),
        Case("IMAGE DIR -o nosiud", 1, "unknown option 'nosiud'; did you mean 'nosuid'?"),
        Case("IMAGE DIR -o ro,frobnicate", 1, "unknown option 'frobnicate'"),
        Case("IMAGE DIR -o ro=1", 1, "option 'ro' takes no value"),
        Case("IMAGE DIR -o offset", 1, "option 'offset' needs a value, offset=BYTES"),
        Case("IMAGE DIR -o offset=", 1, "offset: found '', expected a count of bytes"),
        Case("IMAGE DIR -o ro=", 1, "option 'ro' takes no value"),
        Case("IMAGE DIR -o offset=-1", 1, "offset: found '-1', expected a count of bytes"),
        Case("IMAGE DIR -o offset=1e3", 1, "offset: found '1e3', expected a count of bytes"),
        Case("IMAGE DIR -o cache=5X", 1, "cache: found '5X', expected a count of bytes"),
        Case(
            "IMAGE DIR -o cache=99999999999G", 1,
            "cache: found '99999999999G', expected a count of bytes"),
        Case("IMAGE DIR -o image=0", 1, "image: found '0', expected a number from 1 on"),
        Case("IMAGE DIR -o image=x", 1, "image: found 'x', expected a number from 1 on"),
        Case("IMAGE DIR -o uid=root", 1, "uid: found 'root', expected a number"),
        Case("IMAGE DIR -o uid=4294967295", 1, "uid: found '4294967295', expected a number"),
        Case("IMAGE DIR -o gid=-1", 1, "gid: found '-1', expected a number"),
        Case("IMAGE DIR -o umask=8", 1, "umask: found '8', expected up to four octal digits"),
        Case(
            "IMAGE DIR -o umask=10000", 1, "umask: found '10000', expected up to four octal digits"),
        Case("IMAGE DIR -o =", 1, "unknown option '='"),
        Case("IMAGE DIR -o =5", 1, "unknown option '=5'"),
        Case("IMAGE DIR -o subtype=x", 1, "unknown option 'subtype'"),
        Case("IMAGE DIR -o fsname=x", 1, "unknown option 'fsname'"),
    ]

    static let images: [Case] = [
        Case("HERE/none DIR", 33, "HERE/none: cannot open: No such file or directory"),
        Case("HERE/text DIR", 34, "HERE/text: no IFS image found"),
        Case("HERE/empty DIR", 34, "HERE/empty: no IFS image found"),
        Case("HERE DIR", 36, "HERE: found a directory, expected an image, or the option rw"),
        Case("/dev/null DIR", 34, "/dev/null: no IFS image found"),
        Case(
            "IMAGE DIR -o image=2", 34,
            "IMAGE: found 1 image, expected an image 2; 'ifsctl list' names the images"),
        Case(
            "HERE/text DIR -o offset=1000", 34,
            "HERE/text: found 5 bytes, expected more than the offset 1000"
                + "; without offset= the whole file is searched"),
        Case("HERE/loop DIR", 33, "HERE/loop: cannot open: Too many levels of symbolic links"),
    ]

    static let points: [Case] = [
        Case("IMAGE HERE/none", 37, "HERE/none: cannot find: No such file or directory"),
        Case("IMAGE HERE/text", 37, "HERE/text: expected a directory"),
        Case("IMAGE HERE/loop", 37, "HERE/loop: cannot find: Too many levels of symbolic links"),
        Case("IMAGE HERE/text/x", 37, "HERE/text/x: cannot find: Not a directory"),
        Case("IMAGE /dev/null", 37, "/dev/null: expected a directory"),
    ]

    /// What cannot be mounted is refused in one line, with a status for each cause.
    @Test(arguments: usage + images + points)
    func isRefusedInOneLine(refusal: Case) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        try scratch.file("text", Array("text\n".utf8))
        try scratch.file("empty", [])
        _ = (scratch / "loop").withCString { symlink("loop", $0) }
        func filled(_ text: String) -> String {
            text.replacingOccurrences(of: "IMAGE", with: image.description)
                .replacingOccurrences(of: "DIR", with: point.description)
                .replacingOccurrences(of: "HERE", with: scratch.path.description)
        }
        // Not everything that is said contains a path: those words stay as they are.
        let message =
            Self.usage.contains { $0.words == refusal.words }
            ? refusal.message : filled(refusal.message)
        let words = filled(refusal.words).split(separator: " ").map { Word(String($0)) }
        let finished = try run([Machine.tool("mount.ifs")] + words)
        #expect(finished.errorText == "mount.ifs: \(message)\n")
        #expect(finished.status == refusal.status)
        #expect(finished.output.isEmpty)
        #expect(try !MountLine.all().contains { $0.point.bytes.starts(with: scratch.path.bytes) })
    }

    /// An image whose directory is cut off is not mounted.
    @Test(arguments: [Packing.none, .zlib(), .lzo(), .ucl()])
    func aDirectoryThatIsCutOffIsRefused(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let built = Samples.ordinary.with { $0.packing = packing }.build()
        let end =
            packing == .none
            ? built.storedOffset + built.directoryEnd - 40 : built.storedOffset + 60
        let image = try scratch.file("cut.ifs", Array(built.bytes[..<end]))
        let point = try scratch.directory("m")
        let finished = try run([Machine.tool("mount.ifs"), image, point])
        #expect(finished.status == 35)
        #expect(finished.errorText.split(separator: "\n").count == 1, "\(finished)")
        #expect(finished.errorText.hasPrefix("mount.ifs: \(image): "))
        #expect(try MountLine.on(point).isEmpty)
    }

    @Test func aFileThatMayNotBeReadIsRefused() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        _ = image.withCString { chmod($0, 0) }
        let asOther: [Word] =
            Machine.isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        let finished = try run(asOther + [scratch.toolForOthers(), image, point])
        #expect(finished.errorText == "mount.ifs: \(image): cannot open: Permission denied\n")
        #expect(finished.status == 33)
    }

    /// One mount may cover another, as with every file system; for users, fusermount3 does not do it.
    @Test(.needsRoot)
    func aSecondMountCoversTheFirst() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let first = try scratch.mount(scratch.image(ImageBuilder([.file("first", "1")]), "1.ifs"))
        let second = try scratch.mount(scratch.image(ImageBuilder([.file("second", "2")]), "2.ifs"))
        #expect(try Calls.names(second.path) == ["second"])
        #expect(try MountLine.on(first.path).count == 2)
        try second.unmount()
        #expect(try Calls.names(first.path) == ["first"])
        try first.unmount()
        #expect(try Calls.names(first.path) == [])
    }

    /// The directory of a server that was killed says "not connected" until it is unmounted.
    @Test func afterAServerWasKilledUnmountingClearsTheWay() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let dead = try scratch.mount(image)
        dead.server.send(SIGKILL)
        #expect(try dead.wait().status == -SIGKILL)
        #expect(throws: SystemError(code: ENOTCONN)) { try Calls.names(dead.path) }
        try unmount(dead.path)
        #expect(try Calls.names(scratch.mount(image).path) == ["bin", "empty", "etc"])
    }
}

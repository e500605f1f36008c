import Foundation
import TestSupport
import Testing

/// What the image that a mount's changes go into has room for, and how it stores them.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ImageRoomTests {
    /// An image with a bootstrap executable close behind its directory, mounted for changes.
    private func mounted(_ scratch: Scratch) throws -> (image: Word, point: Word) {
        let image = try scratch.file("x.ifs", Fixtures.goldenImage("boot-armle"))
        let point = try scratch.directory("m")
        #expect(try run([Machine.tool("mount.ifs"), image, point, "-o", "rw"]).status == 0)
        return (image, point)
    }

    private func umount(_ point: Word) throws -> Finished {
        try run([Machine.tool("umount.ifs"), point])
    }

    /// What no new image would have room for, in its directory or on its disk, is refused by the call
    /// that asks for it.
    @Test func aFullDirectoryIsToldByTheCall() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point) = try mounted(scratch)
        let free = try Calls.statistics(point).f_ffree
        #expect(free > 0 && free < 1000)
        let script: Word = """
            cd "$1"; count=0
            while touch $((1000000000000000 + count)) 2> "$2"; do count=$((count + 1)); done
            cat "$2" >&2; echo $count; df --output=iavail . | tail -1
            """
        let filled = try shell(script, point, scratch / "errors")
        #expect(filled.lines.first == "\(free)", "\(filled)")
        #expect(filled.lines.last?.split(separator: " ") == ["0"])
        #expect(filled.errorText.contains("No space left on device"))
        #expect(try umount(point).description == "status 0")
        #expect(try run([Machine.tool("ifsctl"), "check", image]).status == 0)
    }

    /// The extended attributes user.ifs.raw, user.ifs.code, user.ifs.data and user.ifs.page_align say how a
    /// file is stored, with the values of a buildfile.
    @Test(.enabled(if: Machine.has("setfattr"), "setfattr is not installed"))
    func setfattrSaysHowAFileIsStored() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, point) = try mounted(scratch)
        let script: Word = """
            cd "$1/proc/boot"; cp daemon copied; head -c 5000 /dev/urandom > page
            setfattr -n user.ifs.raw -v 1 daemon; setfattr -n user.ifs.page_align -v +page_align page
            getfattr -d daemon page copied; getfattr --only-values -n user.ifs.offset daemon; echo
            ! setfattr -n user.ifs.raw -v maybe daemon
            ! setfattr -n user.ifs.offset -v 4096 daemon
            ! setfattr -n user.ifs.raw -v 1 .
            ! setfattr -x user.ifs.code daemon
            setfattr -n user.ifs.code -v copy copied; setfattr -x user.ifs.code copied
            """
        let done = try shell(script, point)
        #expect(done.status == 0, "\(done)")
        #expect(
            done.lines.filter { $0.hasPrefix("user.") } == [
                "user.ifs.raw=\"1\"", "user.ifs.page_align=\"+page_align\"",
            ])
        for error in ["Invalid argument", "Operation not supported", "No such attribute"] {
            #expect(done.errorText.contains(error), "\(error)")
        }
        #expect(try umount(point).description == "status 0")
        #expect(try run([Machine.tool("ifsctl"), "check", image]).status == 0)
        // The offset is that in the file, which begins on a page. The highest bit of an inode number
        // marks what mkifs has laid out.
        let listing = try run([Machine.tool("dumpifs"), "-v", image]).lines
        let page = try #require(listing.firstIndex { $0.hasSuffix(" proc/boot/page") })
        #expect(listing[page].split(separator: " ")[0].hasSuffix("000"))
        for (name, isLaidOut) in [("daemon", false), ("copied", true)] {
            let line = try #require(listing.firstIndex { $0.hasSuffix(" proc/boot/" + name) })
            let number = try #require(listing[line + 1].firstMatch(of: /ino=([0-9]+)/)?.1)
            #expect((UInt32(number).map { $0 >> 31 } == 1) == isLaidOut, "\(name)")
        }
    }
}

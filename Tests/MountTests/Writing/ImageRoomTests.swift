import Foundation
import TestSupport
import Testing

/// What the image that a mount's changes go into has room for.
@Suite(.needsFuse, .timeLimit(.minutes(3)))
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
}

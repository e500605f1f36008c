import Foundation
import TestSupport
import Testing

/// The file behind a mount changes: nothing of what it has become is shown.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ChangeTests {
    /// What may become of an image; each leaves a file that could still be read.
    enum Change: String, CaseIterable, Sendable {
        case replaced, removed, truncated, grown, rewritten, rewrittenWithItsTimeSetBack

        func make(of image: Word) throws {
            let script: Word =
                switch self {
                case .replaced: "cp \"$1\" \"$1.new\"; mv \"$1.new\" \"$1\""
                case .removed: "rm \"$1\""
                case .truncated: "truncate -s -5000 \"$1\""
                case .grown: "printf x >> \"$1\""
                case .rewritten:
                    "printf xyz | dd of=\"$1\" bs=1 seek=3000 conv=notrunc status=none"
                case .rewrittenWithItsTimeSetBack:
                    """
                    touch -r "$1" "$1.stamp"
                    printf xyz | dd of="$1" bs=1 seek=3000 conv=notrunc status=none
                    touch -r "$1.stamp" "$1"
                    """
                }
            let finished = try shell(script, image)
            guard finished.status == 0 else { throw Failure("\(self): \(finished)") }
        }
    }

    static let inputOutput = SystemError(code: EIO)

    /// Once the image file was written, truncated, replaced or removed, every read and every
    /// listing that reaches the server is an input/output error, and one line says so.
    @Test(arguments: Change.allCases, [.none, .ucl(level: 1)] as [Packing])
    func fromThenOnEveryRequestFailsAndOneLineIsSaid(change: Change, packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (builder, file) = Samples.large(1_300_000, packing)
        let image = try scratch.image(builder)
        let mount = try scratch.mount(image)
        try Calls.open(mount / "file") { descriptor throws in
            let before = try Calls.bytes(of: descriptor, at: 0, count: 4096)
            #expect(difference(before, file[..<4096]) == nil)
            // Times are kept no finer than the clock ticks.
            usleep(20_000)
            try change.make(of: image)
            for _ in 0..<3 {
                #expect(throws: Self.inputOutput) {
                    try Calls.bytes(of: descriptor, at: 1_200_000, count: 4096)
                }
            }
            // What the kernel holds stays as it was.
            #expect(try Calls.bytes(of: descriptor, at: 0, count: 4096) == before)
            #expect(try Calls.status(mount / "file").st_size == 1_300_000)
        }
        #expect(throws: Self.inputOutput) { try Calls.names(mount.path) }
        let finished = try mount.unmount()
        #expect(
            finished.errorText == "mount.ifs: \(image): the file has changed since it was mounted;"
                + " nothing is read from it any more\n")
        #expect(finished.status == 0)
    }

    /// Reading the image file changes nothing.
    ///
    /// What says nothing about the bytes, such as being read, is no change.
    @Test func readingTheImageIsNoChange() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let mount = try scratch.mount(image)
        usleep(20_000)
        _ = try shell("cat \"$1\" > /dev/null", image)
        #expect(
            difference(try Calls.contents(mount / "bin/tool9"), SplitMix64.text(27_001, seed: 9))
                == nil)
        #expect(try mount.unmount().description == "status 0")
    }

    /// An image that came through a pipe stays as it was.
    ///
    /// A pipe's bytes were copied: whatever became of the file, they stay.
    @Test func whatCameThroughAPipeDoesNotChange() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let started = try shell(
            "cat \"$2\" | \"$1\" - \"$3\"; rm \"$2\"", Machine.tool("mount.ifs"), image, point)
        #expect(started.description == "status 0")
        #expect(try Calls.names(point) == ["bin", "empty", "etc"])
    }
}

import Foundation
import TestSupport
import Testing

/// `umask=`, `fmask=` and `dmask=`, as `stat` shows them; and what the kernel is told to forbid.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct MaskTests {
    /// Options, and the bits that they take from files and from directories.
    struct Case: CustomStringConvertible, Sendable {
        let options: String
        let files: UInt32
        let directories: UInt32

        init(_ options: String, _ files: UInt32, _ directories: UInt32) {
            self.options = options
            self.files = files
            self.directories = directories
        }

        var description: String { options }
    }

    static let cases = [
        Case("fmask=137", 0o137, 0), Case("dmask=027", 0, 0o027),
        Case("fmask=0111,dmask=0022", 0o111, 0o022), Case("umask=077", 0o077, 0o077),
        Case("umask=077,fmask=022", 0o022, 0o077), Case("umask=077,dmask=022", 0o077, 0o022),
        Case("fmask=0,umask=066", 0, 0o066), Case("dmask=0,fmask=0,umask=077", 0, 0),
        Case("fmask=1,fmask=2", 0o2, 0), Case("fmask=7777", 0o7777, 0),
    ]

    @Test(arguments: cases)
    func eachMaskTakesBitsFromItsKind(masks: Case) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, Word(masks.options))
        for kind in Samples.kinds {
            let mask: UInt32 =
                switch kind.mode & S_IFMT {
                case S_IFLNK: 0
                case S_IFDIR: masks.directories
                default: masks.files
                }
            let found = try Calls.status(mount / kind.path).st_mode
            #expect(found == kind.mode & ~mask, "\(kind.path)")
        }
    }

    @Test(arguments: [
        ("fmask=8", "fmask: found '8', expected up to four octal digits"),
        ("dmask=10000", "dmask: found '10000', expected up to four octal digits"),
        ("dmask=-1", "dmask: found '-1', expected up to four octal digits"),
        ("fmask", "option 'fmask' needs a value, fmask=OCTAL"),
        ("dmsk=0", "unknown option 'dmsk'; did you mean 'dmask'?"),
    ])
    func whatIsNoMaskIsRefused(option: String, message: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = try scratch.image(Samples.ordinary)
        let point = try scratch.directory("m")
        let finished = try run([Machine.tool("mount.ifs"), image, point, "-o", Word(option)])
        #expect(finished.errorText == "mount.ifs: \(message)\n")
        #expect(finished.status == 1)
    }

    // MARK: nosuid and nodev

    @Test(
        .needsRoot,
        arguments: [
            ("ro", true, true), ("suid", false, true), ("dev", true, false),
            ("suid,dev", false, false), ("suid,nosuid", true, true),
            ("nosuid,nodev,dev", true, false),
        ])
    func neitherSuidNorDevUnlessRootSaysSo(options: String, noSuid: Bool, noDev: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Samples.everyKind, Word(options))
        let found = try #require(MountLine.on(mount.path).last).options
        #expect(found.contains("nosuid") == noSuid && found.contains("nodev") == noDev, "\(found)")
        #expect(found.contains("ro"))
    }

    /// A device of the image is a name only.
    @Test(.needsRoot) func aDeviceOfTheImageCannotBeOpened() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        // Number 1, 3 is the null device.
        let image = ImageBuilder([.device("null", type: 2, rdev: 1 << 10 | 3)])
        let closed = try scratch.mount(image)
        #expect(throws: SystemError(code: EACCES)) { try Calls.open(closed / "null") { _ in } }
        try closed.unmount()
        let opened = try scratch.mount(image, "dev")
        #expect(try Calls.contents(opened / "null") == [])
    }
}

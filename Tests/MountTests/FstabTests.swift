import Foundation
import TestSupport
import Testing

/// Lines of fstab and the words of mount(8), in a name space with a table and helpers of its own.
@Suite(.needsFuse, .needsRoot, .needsOverlay, .timeLimit(.minutes(20)))
struct FstabTests {
    /// Behind the helpers: `fstab` is the system's from `table LINE` on.
    private static let withTable = """
        table() {
            echo "$1" > fstab
            mountpoint -q /etc/fstab || mount --bind fstab /etc/fstab
        }

        """

    private func run(_ scratch: Scratch, _ script: String) throws -> Finished {
        try Namespace.run(scratch, Namespace.withHelpers + Self.withTable + script)
    }

    static let hasTable = access("/etc/fstab", F_OK) == 0

    /// The words that a line for a user's image holds on a system with systemd.
    private static let words = "noauto,user,nofail,_netdev,x-systemd.device-timeout=5"

    @Test(.needsSetuidMount, .enabled(if: hasTable, "there is no /etc/fstab"))
    func aUserMountsWhatTheTableAllows() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script =
            Namespace.withUsers + """
                table "$3 $4 ifs ro,\(Self.words) 0 0"
                $user mount "$4"
                grep -F " $point " /proc/self/mountinfo
                $user cat m/setuid
                echo
                if cat m/setuid 2> /dev/null; then exit 98; fi
                $user umount "$4"
                unmounted
                $user mount "$3"
                mounted
                $user umount "$4"
                unmounted
                """
        let found = try run(scratch, script)
        #expect(found.status == 0 && found.errors.isEmpty, "\(found)")
        #expect(found.lines.count == 2 && found.lines.last == "set")
        #expect(
            found.text.contains(
                " ro,nosuid,nodev,noexec,relatime - fuse.ifs \(scratch / "x.ifs") "
                    + "ro,user_id=65534,group_id=65534"), "\(found)")
    }

    @Test(.enabled(if: hasTable, "there is no /etc/fstab"))
    func rootMountsTheSameLine() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            table "$3 $4 ifs ro,\(Self.words) 0 0"
            mount -a
            if is_mounted; then exit 97; fi
            mount "$4"
            mounted
            cat m/setuid
            umount "$4"
            unmounted
            """
        #expect(try run(scratch, script).description == "status 0; set")
    }

    /// `mount -a` mounts each line once.
    @Test(.enabled(if: hasTable, "there is no /etc/fstab"), arguments: ["ifs", "fuse.ifs"])
    func allLinesAreMounted(type: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mkdir n
            table "$3 $4 \(type) ro,nofail,_netdev,x-foo=1 0 0
            $3 $2/n \(type) ro,defaults,auto,uid=7 0 0"
            mount -a
            mount -a
            grep -cF " $point " /proc/self/mountinfo
            stat -c %u n/setuid
            umount m n
            unmounted
            """
        #expect(try run(scratch, script).description == "status 0; 1\n7\n")
    }

    /// What cannot be mounted does not keep the other lines from it.
    @Test(.enabled(if: hasTable, "there is no /etc/fstab"))
    func aMissingImageIsNoReasonToStop() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mkdir n
            table "$2/none.ifs $2/n ifs ro,nofail 0 0
            $3 $4 ifs ro,nofail 0 0"
            code=0
            mount -a || code=$?
            echo "status $code"
            mounted
            umount m
            """
        let found = try run(scratch, script)
        // 64: some of them are mounted. Source: mount(8).
        #expect(
            found.description == "status 0; mount.ifs: \(scratch / "none.ifs"): cannot open:"
                + " No such file or directory\n; status 64\n")
    }

    // MARK: mount(8) itself

    @Test(arguments: [
        "-t ifs -s -o ro,frobnicate", "-t ifs -s -n -v -r -o frobnicate=7",
        "-t fuse.ifs -s -o frobnicate,nofail",
    ])
    func sloppyPassesOverWhatIsNotKnown(words: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mount \(words) x.ifs m 2> errors
            mounted
            cat m/setuid
            umount m
            """
        let found = try run(scratch, script)
        #expect(found.status == 0 && found.text.contains("set"), "\(found)")
    }

    @Test(arguments: [
        ("frobnicate", "unknown option 'frobnicate'"),
        ("subdri=x", "unknown option 'subdri'; did you mean 'subdir'?"),
        ("tiemout=5", "unknown option 'tiemout'; did you mean 'timeout'?"),
        ("autounmount", "unknown option 'autounmount'; did you mean 'auto_unmount'?"),
        ("xatr", "unknown option 'xatr'; did you mean 'xattr'?"),
        ("allow-other", "unknown option 'allow-other'; did you mean 'allow_other'?"),
        ("fmaks=022", "unknown option 'fmaks'; did you mean 'fmask'?"),
        ("nofial", "unknown option 'nofial'; did you mean 'nofail'?"),
    ])
    func anUnknownOptionIsRefusedByNameWithTheNearest(option: String, message: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            code=0
            mount -t ifs -o ro,\(option) x.ifs m || code=$?
            if is_mounted; then exit 97; fi
            echo "status $code"
            """
        let found = try run(scratch, script)
        #expect(found.lines == ["status 1"])
        #expect(found.errorText == "mount.ifs: \(message)\n")
    }

    @Test(arguments: ["-f", "-f -v", "-fs -o frobnicate", "-f -o subdir=none"])
    func aFakeMountMountsNothing(words: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mount \(words) -t ifs x.ifs m
            if is_mounted; then exit 97; fi
            """
        #expect(try run(scratch, script).status == 0)
    }
}

import Foundation
import TestSupport
import Testing

/// Mounts by mount(8) and by ordinary users. Each is tried in a mount namespace of its own, where
/// helpers and devices are put in place without a trace on the machine.
@Suite(.needsFuse, .needsRoot, .timeLimit(.minutes(20)))
struct SystemTests {
    @Test(.needsOverlay)
    func mountFindsTheHelperByTheType() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mount -t ifs -o ro,uid=5,noatime,nofail,x-foo=1,_netdev,user x.ifs m
            grep " $4 " /proc/self/mountinfo
            stat -c "%u %s" m/setuid
            umount m
            unmounted
            mount -t fuse.ifs "$3" m
            grep " $4 " /proc/self/mountinfo | sed "s/.* - //"
            cat m/setuid
            umount m
            mount -v -n -r -t ifs "$3" m
            umount m
            mount -f -t ifs "$3" m
            unmounted
            """
        let found = try Namespace.run(scratch, Namespace.withHelpers + script)
        #expect(found.status == 0, "\(found)")
        #expect(
            found.text.contains(" ro,nosuid,nodev,noexec,noatime - fuse.ifs \(scratch / "x.ifs") "))
        #expect(found.lines.contains("5 3") && found.text.contains("set"))
        // mount(8) says rw for itself, which asks for a mount that can be changed.
        #expect(found.text.contains("fuse.ifs \(scratch / "x.ifs") rw,"))
    }

    @Test(.needsOverlay)
    func aLineOfFstabIsMounted() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            echo "$3 $4 ifs ro,nofail,noatime,nodiratime,uid=7,umask=077 0 0" > fstab
            mount -T fstab "$4"
            stat -c "%u %a" m/setuid
            umount m
            """
        let found = try Namespace.run(scratch, Namespace.withHelpers + script)
        #expect(found.description == "status 0; 7 6700\n")
    }

    @Test(.needsOverlay)
    func mountGivesOnTheStatusOfARefusal() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            echo text > text
            set +e
            mount -t ifs text m; echo $?
            mount -t ifs -o frobnicate x.ifs m; echo $?
            unmounted
            """
        let found = try Namespace.run(scratch, Namespace.withHelpers + script)
        #expect(found.lines == ["34", "1"], "\(found)")
        #expect(found.errorText.contains("mount.ifs: \(scratch / "text"): no IFS image found"))
    }

    @Test func withoutTheDeviceAMountIsRefusedInOneLine() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = "mount -t tmpfs tmpfs /dev; \"$1\" \"$3\" \"$4\" 2>&1 || echo $?"
        let found = try Namespace.run(scratch, script)
        #expect(found.lines == ["mount.ifs: device not found, try 'modprobe fuse' first", "32"])
    }

    // MARK: Ordinary users

    @Test(.needsSetuidHelper)
    func aUserMountsAndUnmountsWithoutPrivilege() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            cp "$3" 'a, b\\c.ifs'
            for way in "fusermount3 -u" umount "umount -l"; do
                $user "$1" 'a, b\\c.ifs' m
                grep " $4 " /proc/self/mountinfo
                $user cat m/setuid m/dir/file
                $user stat -c "%u %a" m/dir/file
                if ls m; then exit 98; fi
                $user $way m
                unmounted
            done
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.status == 0, "\(found)")
        #expect(found.lines.filter { $0 == "setcontents" }.count == 3)
        #expect(found.lines.filter { $0 == "1234567 640" }.count == 3)
        let shown = "\(scratch.path)/a,\\040b\\134c.ifs ro,user_id=65534,group_id=65534"
        let lines = found.lines.filter { $0.hasSuffix(shown) }
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains(" ro,nosuid,nodev,") })
    }

    @Test(.needsSetuidHelper)
    func aUsersMistakeIsToldInOneLine() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mkdir notmine
            set +e
            $user "$1" x.ifs notmine; echo $?
            grep -q '^ *user_allow_other' /etc/fuse.conf || $user "$1" x.ifs m -o allow_other; echo $?
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.lines.allSatisfy { $0 == "32" || $0 == "0" }, "\(found)")
        let said = found.errorText.split(separator: "\n")
        #expect(
            said.first == "mount.ifs: user has no write access to mountpoint \(scratch / "notmine")"
        )
        #expect(said.count <= 2 && said.allSatisfy { $0.hasPrefix("mount.ifs: ") }, "\(found)")
    }

    /// What an ordinary user may not have is left out, and the mount is made.
    @Test(.needsSetuidHelper)
    func aUsersOptionsThatNeedPrivilegeAreToldAndLeftOut() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            $user "$1" x.ifs m -o dev,suid,relatime
            grep " $4 " /proc/self/mountinfo
            $user fusermount3 -u m
            """
        let found = try Namespace.run(scratch, Namespace.withUsers + script)
        #expect(found.status == 0 && found.text.contains(" ro,nosuid,nodev,"), "\(found)")
        #expect(found.errorText.split(separator: "\n").allSatisfy { $0.contains("unsafe option") })
    }
}

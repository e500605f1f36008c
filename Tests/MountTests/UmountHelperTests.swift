import Foundation
import TestSupport
import Testing

/// umount(8) and its helper: each call goes through `umount.fuse.ifs`, which a witness in its place
/// writes down.
@Suite(.needsFuse, .needsRoot, .needsOverlay, .timeLimit(.minutes(20)))
struct UmountHelperTests {
    /// Runs `command` on a mount, and gives what the helper was called with.
    private func calls(
        _ command: String, options: String = "ro", prelude: String = "",
        propagation: Word = "slave"
    ) throws -> [String] {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            \(prelude)
            mount -t ifs -o \(options) x.ifs "$4"
            mounted
            \(command)
            unmounted
            cat calls
            """
        let found = try Namespace.run(
            scratch, Namespace.withHelpers + Namespace.withWitness + script,
            propagation: propagation)
        #expect(found.status == 0, "\(found)")
        #expect(found.errorText == "", "\(command)")
        return found.lines.map { line in
            // That nothing is to be noted down is said or not, and means nothing.
            line.replacingOccurrences(of: (scratch / "m").description, with: "POINT")
                .replacingOccurrences(of: " -n", with: "")
        }
    }

    @Test(arguments: [
        ("umount m", "0 POINT"), ("umount \"$3\"", "0 POINT"), ("umount x.ifs", "0 POINT"),
        ("umount -c \"$4\"", "0 POINT"), ("umount -n m", "0 POINT"),
        ("umount -f \"$4\"", "0 POINT -f"), ("umount -d \"$4\"", "0 POINT"),
        ("umount -l \"$4\"", "0 POINT -l"), ("umount -lf \"$4\"", "0 POINT -l -f"),
        ("umount -r m", "0 POINT -r"), ("umount -t fuse.ifs m", "0 POINT"),
    ])
    func aMountGoesThroughTheHelper(command: String, call: String) throws {
        let found = try calls(command)
        #expect(found == [call])
    }

    /// From root and with an absolute path, umount(8) asks `statfs` for the type, which says `fuse`
    /// and no more: it looks for `umount.fuse`, and finds ours only if it has noted an option of
    /// the mount. Source: util-linux, `lookup_umount_fs_by_statfs` in libmount's context_umount.c.
    @Test func anAbsolutePathAloneMayPassTheHelperBy() throws {
        let plain = try calls("umount \"$4\"")
        #expect(plain == [] || plain == ["0 POINT"])
        let noted = try calls("umount \"$4\"", options: "ro,x-noted")
        #expect(noted == ["0 POINT"])
    }

    /// A mount that can be changed is noted, so that root's umount saves whatever path it is given.
    @Test func aWritableMountIsNeverPassedBy() throws {
        #expect(try calls("umount \"$4\"", options: "rw") == ["0 POINT"])
        #expect(try calls("umount \"$4\"", options: "rw,nosave") == ["0 POINT"])
    }

    /// Mounts of other tests, which the new name space has copies of, are put away first; later ones
    /// do not come in. No other test may be kept from its mounts for long in this way.
    @Test func allMountsOfTheTypeGoThroughTheHelper() throws {
        let prelude = """
            for other in $(findmnt -rno TARGET -t fuse.ifs || true); do
                umount -i -l "$other" 2> /dev/null || true
            done
            """
        let found = try calls("umount -a -t fuse.ifs", prelude: prelude, propagation: "private")
        #expect(found == ["0 POINT"])
    }

    /// What the helper says of a mount in use is what umount(8) ends with.
    @Test func theStatusOfTheHelperIsThatOfUmount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mount -t ifs -o ro x.ifs "$4"
            exec 3< m/setuid
            code=0
            umount m || code=$?
            echo "status $code"
            mounted
            umount -l m
            unmounted
            cat <&3
            exec 3<&-
            mount -t ifs -o ro x.ifs "$4"
            printf '#!/bin/sh\\nexit 37\\n' > /sbin/umount.fuse.ifs
            code=0
            umount m || code=$?
            echo " status $code"
            mounted
            umount -i m
            cat calls
            """
        let found = try Namespace.run(
            scratch, Namespace.withHelpers + Namespace.withWitness + script)
        let point = scratch / "m"
        #expect(
            found.description.replacing(/, in use by .*/, with: "") == """
                status 0; umount.ifs: \(point): target is busy
                ; status 32
                set status 37
                0 \(point)
                0 \(point) -l

                """)
    }

    /// The helper proper, without a witness, says with -v what it has done.
    @Test func theHelperIsVerboseWhenUmountIs() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            mount -t fuse.ifs -o ro x.ifs "$4"
            umount -v m
            unmounted
            """
        let found = try Namespace.run(scratch, Namespace.withHelpers + script)
        #expect(found.status == 0, "\(found)")
        #expect(found.lines.contains("\(scratch / "m") unmounted"), "\(found)")
    }

    @Test func aDeadMountGoesThroughTheHelper() throws {
        let command = """
            kill_server
            umount m
            """
        #expect(try calls(command) == ["0 POINT"])
    }

    // MARK: Ordinary users

    @Test(
        .needsSetuidMount, arguments: ["umount \"$4\"", "umount m", "umount -l m", "umount \"$3\""])
    func aUsersMountGoesThroughTheHelperAsTheUser(command: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            $user "$1" "$3" "$4"
            mounted
            $user \(command)
            unmounted
            cat calls
            """
        let found = try Namespace.run(
            scratch,
            Namespace.withHelpers + Namespace.withWitness + Namespace.withUsers + script)
        #expect(found.status == 0 && found.errors.isEmpty, "\(found)")
        let letters = command.contains(" -l ") ? " -l" : ""
        #expect(found.lines == ["65534 \(scratch / "m")\(letters)"])
    }

    @Test(.needsSetuidMount) func aUsersDeadMountGoes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            for command in "umount m" "umount $4" "/sbin/umount.ifs m" "/sbin/umount.ifs x.ifs"; do
                $user "$1" "$3" "$4"
                mounted
                kill_server
                $user $command
                unmounted
            done
            """
        let found = try Namespace.run(
            scratch, Namespace.withHelpers + Namespace.withUsers + script)
        #expect(found.description == "status 0")
    }

    @Test(.needsSetuidMount) func aUsersMountInUseStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            chmod 777 .
            $user "$1" "$3" "$4"
            $user bash -c 'cd m; touch ../ready; exec sleep 60' &
            guest=$!
            while ! [ -e ready ]; do sleep 0.02; done
            code=0
            $user umount "$4" || code=$?
            echo "status $code"
            mounted
            kill $guest
            wait $guest || true
            $user umount "$4"
            unmounted
            """
        let found = try Namespace.run(
            scratch, Namespace.withHelpers + Namespace.withUsers + script)
        #expect(found.status == 0 && found.lines == ["status 32"], "\(found)")
        #expect(found.errorText.contains("umount.ifs: \(scratch / "m"): "), "\(found)")
        #expect(found.errorText.contains("busy"), "\(found)")
    }

    /// Another user may not, though umount(8) runs the helper for him, too.
    @Test(.needsSetuidMount) func anotherUsersMountStays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = """
            $user "$1" "$3" "$4"
            other="setpriv --reuid=65533 --regid=65533 --clear-groups"
            code=0
            $other umount "$4" 2> /dev/null || code=$?
            echo "status $code"
            code=0
            $other /sbin/umount.ifs "$4" 2> /dev/null || code=$?
            echo "status $code"
            mounted
            $user fusermount3 -u "$4"
            cut -d " " -f 1 calls
            """
        let found = try Namespace.run(
            scratch,
            Namespace.withHelpers + Namespace.withWitness + Namespace.withUsers + script)
        #expect(found.description == "status 0; status 32\nstatus 32\n65533\n")
    }
}

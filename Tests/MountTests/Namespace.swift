import Foundation
import Testing

/// Scripts in a mount namespace of their own, where helpers and devices are put in place without a
/// trace on the machine.
enum Namespace {
    /// Runs a script as root; `$1` is the tool, `$2` the scratch directory, `$3` an image in it and
    /// `$4` a mount point.
    ///
    /// `mounted` fails unless something is mounted there, `unmounted` if anything is; both wait a
    /// second for it. A `!` before a command would not end a script. `processes` lists those behind
    /// the mount point, the server, which has the device open, first; `kill_server` ends that one
    /// and waits until the kernel has noticed.
    @discardableResult
    static func run(
        _ scratch: Scratch, _ script: String, propagation: Word = "slave", deadline: Double = 30
    ) throws -> Finished {
        let image = try scratch.image(Samples.everyKind)
        let point = try scratch.directory("m")
        let tool = try scratch.toolForOthers()
        return try MountTests.run(
            [
                "unshare", "-m", "--propagation", propagation, "bash", "-euc",
                Word(functions + script), "test", tool, scratch.path, image, point,
            ], deadline: deadline)
    }

    private static let functions = """
        point=$4
        is_mounted() { grep -qF " $point " /proc/self/mountinfo; }
        mounted() {
            for i in $(seq 50); do if is_mounted; then return 0; fi; sleep 0.02; done
            echo "line $BASH_LINENO: nothing is mounted" >&2
            exit 99
        }
        unmounted() {
            for i in $(seq 50); do if is_mounted; then sleep 0.02; else return 0; fi; done
            echo "line $BASH_LINENO: still mounted" >&2
            exit 99
        }
        processes() {
            for id in $(pgrep -x mount.ifs || true); do
                if ! tr '\\0' '\\n' < /proc/$id/cmdline | grep -qxF "$point"; then continue; fi
                if ls -l /proc/$id/fd | grep -q /dev/fuse; then echo "server $id"
                else echo "watcher $id"; fi
            done 2> /dev/null | sort
        }
        kill_server() {
            kill -9 "$(processes | sed -n 's/server //p')"
            while ${user-} stat -f "$point" > /dev/null 2>&1; do sleep 0.02; done
        }

        """

    // MARK: Helpers of mount(8)

    /// `/sbin` gets the helpers, on top of what it has; and mount(8) writes its notes into a `/run`
    /// of the name space's own.
    static let withHelpers = """
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir /run/mount
        mkdir "$2/over"
        mount -t tmpfs tmpfs "$2/over"
        mkdir "$2/over/upper" "$2/over/work"
        sbin=$(readlink -f /sbin)
        mount -t overlay overlay -o "lowerdir=$sbin,upperdir=$2/over/upper,workdir=$2/over/work" "$sbin"
        for name in mount.ifs mount.fuse.ifs umount.ifs umount.fuse.ifs; do
            ln -sf "$1" "/sbin/$name"
        done
        cd "$2"

        """

    /// Behind `withHelpers`: each call of the helper of umount(8) leaves a line in the file `calls`,
    /// with the number of the user and the words.
    static let withWitness = """
        touch calls
        chmod 666 calls
        rm /sbin/umount.fuse.ifs
        {
            echo '#!/bin/bash'
            echo "echo \\"\\$(id -u) \\$*\\" >> '$2/calls'"
            echo "exec -a umount.fuse.ifs '$1' \\"\\$@\\""
        } > /sbin/umount.fuse.ifs
        chmod 755 /sbin/umount.fuse.ifs

        """

    static let hasOverlay: Bool = {
        guard Machine.isRoot, let scratch = try? Scratch() else { return false }
        defer { scratch.end() }
        return (try? run(scratch, withHelpers).status) == 0  // Else it is skipped.
    }()

    // MARK: Ordinary users

    /// Everybody may open `/dev/fuse`, and `$user` before a command makes one another user, who owns
    /// the mount point.
    static let withUsers = """
        mkdir "$2/dev"
        mount -t tmpfs -o dev,mode=755 tmpfs "$2/dev"
        mknod -m 666 "$2/dev/fuse" c 10 229
        chmod 666 "$2/dev/fuse"
        mount --bind "$2/dev/fuse" /dev/fuse
        chown 65534:65534 "$4"
        user="setpriv --reuid=65534 --regid=65534 --clear-groups"
        cd "$2"

        """

    /// Whether ordinary users can mount at all.
    static let hasSetuidHelper: Bool = {
        let found = try? shell("test -u \"$(command -v fusermount3)\"")
        return found?.status == 0
    }()

    /// Whether mount(8) and umount(8) do for ordinary users what fstab allows.
    static let hasSetuidMount: Bool = {
        let found = try? shell(
            "test -u \"$(command -v mount)\"; test -u \"$(command -v umount)\"")
        return found?.status == 0 && hasSetuidHelper
    }()
}

extension Trait where Self == ConditionTrait {
    /// Skips where `/sbin` cannot be given helpers.
    static var needsOverlay: Self {
        .enabled(if: Namespace.hasOverlay, "no overlay can be mounted on /sbin")
    }

    /// Skips where ordinary users cannot mount.
    static var needsSetuidHelper: Self {
        .enabled(if: Namespace.hasSetuidHelper, "fusermount3 is not setuid")
    }

    /// Skips where mount(8) works for root alone.
    static var needsSetuidMount: Self {
        .enabled(if: Namespace.hasSetuidMount, "mount, umount or fusermount3 is not setuid")
    }
}

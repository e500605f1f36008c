internal import CFuse
internal import Format
internal import Glibc

/// Nodes as the kernel is told of them.
extension Server {
    /// A node's attributes as `stat` has them.
    static func status(_ attributes: Attributes) -> stat {
        var status = stat()
        status.st_ino = ino_t(attributes.node.rawValue)
        status.st_mode = attributes.kind.rawValue | attributes.permissions
        status.st_nlink = nlink_t(attributes.linkCount)
        status.st_uid = attributes.user
        status.st_gid = attributes.group
        status.st_rdev = number(attributes.device)
        status.st_size = off_t(clamping: attributes.byteCount)
        status.st_blksize = 4096
        status.st_blocks = blkcnt_t(
            clamping: attributes.byteCount / 512 + (attributes.byteCount % 512 == 0 ? 0 : 1))
        let time = timespec(tv_sec: Int(clamping: attributes.modified), tv_nsec: 0)
        status.st_mtim = time
        status.st_ctim = time
        status.st_atim = time
        return status
    }

    /// A node as the answer to a look-up.
    static func entry(_ attributes: Attributes) -> fuse_entry_param {
        var entry = fuse_entry_param()
        entry.ino = fuse_ino_t(attributes.node.rawValue)
        entry.attr = status(attributes)
        entry.attr_timeout = timeout
        entry.entry_timeout = timeout
        return entry
    }

    /// A device as the kernel numbers it: 8 bits of the minor number, 12 of the major one, the rest
    /// of the minor one. Source: Linux `include/linux/kdev_t.h`, `new_encode_dev`.
    private static func number(_ device: (major: UInt32, minor: UInt32)) -> dev_t {
        dev_t(device.major & 0xfff) << 8 | dev_t(device.minor & 0xff)
            | dev_t(device.minor >> 8) << 20
    }

    /// The device of such a number.
    static func device(_ number: dev_t) -> (major: UInt32, minor: UInt32) {
        let number = UInt32(truncatingIfNeeded: number)
        return (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00)
    }
}

internal import Format
internal import Glibc

/// What is known of the room on the disk, so that not every change has to ask for it.
struct DiskRoom {
    /// The weight of the edits when the disk was last asked.
    private var asked: UInt64 = 0
    /// By how much the weight may grow before it is asked again.
    private var share: UInt64 = 0

    /// Throws `noSpace` where an image with these edits would not fit into what is free. That is asked
    /// once a quarter of what was left may be used.
    mutating func require(
        _ load: StageLoad, _ room: any StageRoom, _ free: () -> UInt64
    ) throws(FileSystemError) {
        let weight = load.weight
        guard weight < asked || weight &- asked >= share else { return }
        let (found, wanted) = (free(), try room.mostBytes(load))
        guard wanted <= found else { throw .noSpace }
        (asked, share) = (weight, (found &- wanted) / 4)
    }

    /// Bytes that the disk of the directory that a file is in has left.
    static func freeByteCount(beside file: [UInt8]) -> UInt64 {
        var status = statvfs()
        guard unsafe statvfs(cString(parentPath(file)), &status) == 0 else { return .max }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }
}

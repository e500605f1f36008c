public import Format

/// What the format that the edits go into can hold.
public struct StageLimits: Sendable {
    /// Bytes of a path, without a leading slash.
    public var longestPath = Int.max
    /// Bytes of one name.
    public var longestName = 255
    /// Bytes of one file.
    public var largestFile = UInt64(Int64.max)
    /// Bytes of a whole image.
    public var largestImage = UInt64(Int64.max)
    /// Bytes of an image of the tree as it is without edits.
    public var imageSize: UInt64 = 0
    /// Seconds since 1970.
    public var times = Int64.min...Int64.max
    /// The largest numbers of a device.
    public var largestDevice: (major: UInt32, minor: UInt32) = (.max, .max)

    /// Whether a value can be set for an extended attribute, which a name without `user.` means; nil
    /// for a name that cannot be set.
    public var accepts: @Sendable (_ name: String, _ value: [UInt8]) -> Bool? = { _, _ in nil }
    /// What of a large file is changed comes to the stage in pieces of so many bytes; a file that is no
    /// larger comes whole.
    public var pieceSize: UInt64 = 1 << 20
    /// Bytes of a file that may stand in the edit log.
    public var largestInLog = 32 << 10
    /// A log of so many bytes takes no more of them: what is removed goes on taking room there.
    public var largestLog: UInt64 = 256 << 20
    /// What an image has room for that is made of a volume and edits; nil for no limit but these.
    public var room: @Sendable (any Volume) -> (any StageRoom)? = { _ in nil }
    /// Bytes that are free where the new image is written.
    public var freeByteCount: @Sendable () -> UInt64 = { .max }

    /// No limits but those of Linux.
    public init() {}

    func check(_ name: [UInt8]) throws(FileSystemError) {
        guard name.count <= longestName else { throw .nameTooLong }
    }

    func check(device: (major: UInt32, minor: UInt32)) throws(FileSystemError) {
        guard device.major <= largestDevice.major, device.minor <= largestDevice.minor else {
            throw .outOfRange
        }
    }

    func check(time: Int64) throws(FileSystemError) {
        guard times.contains(time) else { throw .outOfRange }
    }

    /// What an IFS holds: sizes, times and offsets are 32-bit numbers without a sign. Source:
    /// `sys/image.h`; the path by the vendor's kernel. The new image is written to `target`, if one is
    /// given; else nobody looks whether its disk has room.
    public static func ifs(imageSize: UInt64, target: [UInt8]? = nil) -> StageLimits {
        var limits = StageLimits()
        limits.longestPath = 1023
        limits.largestFile = UInt64(UInt32.max)
        limits.largestImage = UInt64(UInt32.max)
        limits.imageSize = imageSize
        limits.times = 0...Int64(UInt32.max)
        limits.largestDevice = (0x3f, 0x3ff)
        limits.accepts = TreatmentName.accepts
        limits.room = { ImageRoom($0) }
        if let target {
            limits.freeByteCount = { DiskRoom.freeByteCount(beside: target) }
        }
        return limits
    }
}

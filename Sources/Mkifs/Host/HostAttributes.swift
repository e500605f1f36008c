public import Format

/// What a file of the host is to have, where the host itself could not take it; nil for what the host
/// says.
public struct HostAttributes: Equatable, Sendable {
    /// The twelve permission bits.
    public var permissions: UInt32?
    /// Numeric id of the owner.
    public var user: UInt32?
    /// Numeric id of the group.
    public var group: UInt32?
    /// Seconds since 1970.
    public var modified: Int64?
    /// The device that the file stands for.
    public var device: Device?

    /// All as the host says.
    public init() {}

    /// Whether all is as the host says.
    public var isEmpty: Bool { self == HostAttributes() }

    /// A device by its numbers.
    public struct Device: Equatable, Sendable {
        /// Of characters or of blocks.
        public let kind: NodeKind
        /// Which driver.
        public let major: UInt32
        /// Which of its devices.
        public let minor: UInt32

        /// A device of these numbers.
        public init(_ kind: NodeKind, major: UInt32, minor: UInt32) {
            self.kind = kind
            self.major = major
            self.minor = minor
        }

        /// A device as glibc numbers it. Source: glibc `bits/sysmacros.h`.
        public init(_ kind: NodeKind, hostNumber number: UInt64) {
            self.kind = kind
            major = UInt32(truncatingIfNeeded: number >> 8 & 0xfff | number >> 32 & 0xffff_f000)
            minor = UInt32(truncatingIfNeeded: number & 0xff | number >> 12 & 0xffff_ff00)
        }

        /// The number in an image: minor in the low 10 bits, major in the next 6; nil for numbers that
        /// have no room there.
        var number: UInt32? {
            major <= 0x3f && minor <= 0x3ff ? major << 10 | minor : nil
        }
    }
}

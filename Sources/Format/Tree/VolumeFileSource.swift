/// The bytes of a file in a volume.
public struct VolumeFileSource: ByteSource {
    private let volume: any Volume
    private let node: NodeID
    /// Bytes of the file.
    public let byteCount: UInt64

    /// A file of so many bytes.
    public init(_ volume: any Volume, _ node: NodeID, byteCount: UInt64) {
        self.volume = volume
        self.node = node
        self.byteCount = byteCount
    }

    /// What the volume has there.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        try unsafe volume.read(node, into: buffer, at: offset)
    }
}

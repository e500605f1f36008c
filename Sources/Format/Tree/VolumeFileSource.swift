/// A file of a volume as a source of bytes, wherever on the medium its pieces lie.
public struct VolumeFileSource: ByteSource {
    private let volume: any Volume
    private let node: NodeID
    /// Bytes of the file when it was opened.
    public let byteCount: UInt64

    /// The file of a node; nil for what is none. Throws what keeps its attributes from being read.
    public init?(_ volume: any Volume, _ node: NodeID) throws(FormatError) {
        guard let attributes = try volume.attributes(of: node), attributes.kind == .file else {
            return nil
        }
        self.volume = volume
        self.node = node
        byteCount = attributes.byteCount
    }

    /// A read of the file; throws as the volume does.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount else { return 0 }
        let count = Int(clamping: min(UInt64(buffer.count), byteCount &- offset))
        return try unsafe volume.read(
            node, into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count]), at: offset)
    }
}

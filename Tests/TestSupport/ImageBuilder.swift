/// Makes images for tests, in the layout that section 1 of the format's description gives.
///
/// It shares no code with the reader under test, so each is the other's witness. What it writes by
/// default is what mkifs would; every departure from that is asked for.
public struct ImageBuilder: Sendable {
    /// Bytes that replace others.
    public struct Patch: Sendable {
        /// Where they stand, from the start of what is patched.
        public var offset: Int
        /// What replaces them.
        public var bytes: [UInt8]

        /// Bytes at an offset.
        public init(_ offset: Int, _ bytes: [UInt8]) {
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// The byte order of everything.
    public var isBigEndian = false

    // MARK: The image file system

    /// The directory's records, after the root's.
    public var entries: [ImageEntry]
    /// The root's record; none if nil.
    public var root: ImageEntry? = .directory("")
    /// The mount point; a NUL is added.
    public var mountpoint: [UInt8] = Array("/".utf8)
    /// `flags` but for byte order and trailer: INO_BITS.
    public var imageFlags: UInt8 = 0x04
    /// `boot_ino`, up to four.
    public var bootInodes: [UInt32] = []
    /// `script_ino`.
    public var scriptInode: UInt32 = 0
    /// `chain_paddr`.
    public var chainAddress: UInt32 = 0
    /// Zeros between the directory's end mark and `hdr_dir_size`.
    public var directorySlack = 0
    /// Whether the image ends in a SHA-512 before its sum.
    public var hasImageDigest = false
    /// What replaces bytes of the image file system before it is summed.
    public var imagePatches: [Patch] = []

    // MARK: The startup

    /// Whether a startup header stands before the image file system. A packed one needs it.
    public var hasStartup = true
    /// What stands before the startup header.
    public var prefix: [UInt8] = []
    /// The ELF number of the processor; ARM.
    public var machine: UInt16 = 40
    /// The startup program, which follows its header.
    public var program: [UInt8] = Array("startup program ".utf8)
    /// `flags1` but for byte order, packing and trailer: VIRTUAL.
    public var flags1: UInt8 = 0x01
    /// `flags2`.
    public var flags2: UInt8 = 0
    /// Physical address of the startup header.
    public var imageAddress: UInt32 = 0x8000_0000
    /// Address of the startup's copy in RAM; that of the image, if none is set.
    public var ramAddress: UInt32?
    /// `paddr_bias`.
    public var physicalBias: UInt32 = 0
    /// `addr_off`.
    public var addressOffset: UInt64 = 0
    /// `zero0`.
    public var zeroHalf: UInt16 = 0
    /// `zero[0]`.
    public var zeroWord: UInt32 = 0
    /// The info records, 192 bytes at most.
    public var info: [UInt8] = []
    /// Whether the startup, and a packed image, end in a SHA-512 before their sum.
    public var hasStartupDigest = false
    /// What replaces bytes of the startup area, header included, before it is summed.
    public var startupPatches: [Patch] = []

    // MARK: Packing

    /// How the image file system is packed.
    public var packing: Packing = .none
    /// Unpacked lengths of the first blocks; the others are of 64 KiB.
    public var blockLengths: [Int] = []
    /// What ends the blocks.
    public var endMark: [UInt8] = [0, 0]
    /// Bytes between the packed stream and its padding.
    public var streamTail: [UInt8] = []

    /// A bootable image of these entries.
    public init(_ entries: [ImageEntry] = []) { self.entries = entries }

    /// A data-only image of these entries: no startup.
    public static func bare(_ entries: [ImageEntry] = []) -> ImageBuilder {
        var builder = ImageBuilder(entries)
        builder.hasStartup = false
        builder.mountpoint = []
        return builder
    }

    /// The same builder, changed by `change`.
    public func with(_ change: (inout ImageBuilder) -> Void) -> ImageBuilder {
        var builder = self
        change(&builder)
        return builder
    }

    /// Adds the boot script, compiled, and names it in the header.
    public mutating func addScript(_ bytes: [UInt8], path: String = "proc/boot/.script") {
        scriptInode = UInt32(entries.count + 2)
        entries.append(.file(path, bytes).with { $0.inode = UInt32(entries.count + 2) })
    }

    /// The image.
    public func build() -> BuiltImage {
        var image = imageFileSystem()
        guard hasStartup || packing != .none else {
            image.bytes = image.plain
            return image
        }
        let stream = Packer.stream(
            image.plain, packing, blockLengths: blockLengths, endMark: endMark)
        let stored = self.stored(stream)
        let area = startupArea(imageSize: image.plain.count, storedCount: stored.count)
        image.startupOffset = prefix.count
        image.storedOffset = prefix.count + area.count
        image.blocks = stream.blocks
        for index in image.blocks.indices { image.blocks[index].offset += image.storedOffset }
        image.bytes.reserveCapacity(prefix.count + area.count + stored.count)
        image.bytes.append(contentsOf: prefix)
        image.bytes.append(contentsOf: area)
        image.bytes.append(contentsOf: stored)
        return image
    }
}

/// An image, and where its parts lie.
public struct BuiltImage: Sendable {
    /// The whole file.
    public var bytes: [UInt8] = []
    /// The image file system, unpacked.
    public var plain: [UInt8] = []
    /// Offset of the startup header in the file; nil without one.
    public var startupOffset: Int?
    /// Offset of the image file system, or of the packed stream, in the file.
    public var storedOffset = 0
    /// Offset of the first directory entry in the unpacked image.
    public var directoryOffset = 0
    /// Offset behind the directory's end mark and slack in the unpacked image.
    public var directoryEnd = 0
    /// Offsets in the unpacked image of the records, the root's first.
    public var recordOffsets: [Int] = []
    /// Offsets in the unpacked image of the data of the builder's entries; 0 for those without.
    public var dataOffsets: [Int] = []
    /// The packed blocks; offsets are those in the file.
    public var blocks: [PackedStream.Block] = []
}

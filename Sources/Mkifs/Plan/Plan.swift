public import Format

/// Everything that decides the bytes of an image: what goes in, in which order, by which rules, and
/// where what has to be at a place of its own.
///
/// A plan comes from a buildfile or from an image, and can be changed in between. What a plan leaves
/// open, such as where a file goes, `Layout` decides.
public struct Plan: Sendable {
    /// The release whose rules hold.
    public var release: Release
    /// The byte order of all headers.
    public var order: ByteOrder
    /// How the image file system is packed.
    public var encoding = IFS.Encoding(.none)
    /// Blocks of another image that are copied where what they unpack to comes again at its place.
    public var previous: IFS.PackedBlocks?
    /// Bytes of a page of the target.
    public var pageSize: UInt64 = 4096
    /// Where the image lies in the target's memory, and how large it may be.
    public var range = AddressRange()
    /// Where what it writes lies; nil for an image in RAM.
    public var ram: AddressRange?
    /// Added to an address it gives the physical one, modulo 2^64.
    public var physicalBias: UInt64 = 0
    /// What stands before the startup header.
    public var prefix = Content.bytes([])
    /// Numbers in the prefix that tell where the image ends.
    public var endFields: [IFS.EndField] = []
    /// Bytes of the prefix that no loader loads.
    public var notLoaded: UInt64 = 0
    /// Where bootstrap executables run; nil for where they lie.
    public var bootAddress: BootAddress?
    /// What comes before the image file system; nil for nothing.
    public var startup: Startup?
    /// The image file system's own header.
    public var header = Header()
    /// The root of the tree.
    public var root: Entry
    /// All other entries, in the order of the buildfile or of the image's directory.
    public var entries: [Entry] = []
    /// Whether the image's directory has the entries in this order; else `Layout` orders them.
    public var keepsOrder = false
    /// Bytes of the image that belong to no entry, at offsets from the image header.
    public var remains: [Remain] = []
    /// What stands behind the image in its file.
    public var tail = Content.bytes([])
    /// The program that the finished image goes through.
    public var filter: ImageFilter?

    /// A plan of nothing but a root.
    public init(_ release: Release, _ order: ByteOrder, root: Entry) {
        self.release = release
        self.order = order
        self.root = root
    }
}

extension Plan {
    /// An address that a bootfile gives to bootstrap executables.
    public struct BootAddress: Equatable, Sendable {
        /// The address.
        public var address: UInt64
        /// Whether what comes before the first file is left free above it.
        public var isAboveImage: Bool

        /// An address.
        public init(_ address: UInt64, isAboveImage: Bool = false) {
            self.address = address
            self.isAboveImage = isAboveImage
        }
    }

    /// What stands before the image file system.
    public enum Startup: Sendable {
        /// A program that is linked and laid out when the image is.
        case program(Executable)
        /// What another image has: its header, and the bytes behind it without the trailer.
        case stored(IFS.StartupHeader, Content)
    }

    /// A file that is relocated, and what it is told when it starts.
    public struct Executable: Sendable {
        /// The file.
        public var content: Content
        /// How it is linked; nil for one that lies where it should.
        public var link: Link?
        /// What it finds in the place of its place-holder.
        public var arguments: IFS.BootArguments

        /// A program of these parts.
        public init(_ content: Content, _ link: Link?, _ arguments: IFS.BootArguments) {
            self.content = content
            self.link = link
            self.arguments = arguments
        }
    }

    /// How a file is linked.
    public struct Link: Equatable, Sendable {
        /// The linker's command with its `%` codes; nil for the linker that mkifs finds itself.
        public var command: [UInt8]?
        /// Kernel modules that are linked in.
        public var modules: [[UInt8]] = []
        /// Where the linked file is kept; nil to delete it.
        public var kept: [UInt8]?

        /// A link by a command.
        public init(_ command: [UInt8]?) { self.command = command }
    }

    /// The values of the image header that are not computed; nil leaves it to `Layout`.
    public struct Header: Equatable, Sendable {
        /// Where the target puts the tree.
        public var mountpoint: [UInt8] = []
        /// Where the next image lies.
        public var chain: UInt32 = 0
        /// All flag bits.
        public var flags: UInt8?
        /// Inode numbers of the bootstrap executables.
        public var bootInodes: [UInt32]?
        /// The inode number of the script.
        public var scriptInode: UInt32?
        /// The ten spare words.
        public var spare: [UInt32]?
        /// The mount flags.
        public var mountFlags: UInt32 = 0
        /// Where the directory begins.
        public var directoryOffset: UInt32?
        /// Where header and directory end.
        public var directoryEnd: UInt32?
        /// Bytes of the image, its trailer included.
        public var imageSize: UInt32?

        /// Nothing fixed.
        public init() {}
    }

    /// Bytes of no entry.
    public struct Remain: Sendable {
        /// From the image header.
        public var offset: UInt64
        /// The bytes.
        public var content: Content

        /// Bytes at an offset.
        public init(at offset: UInt64, _ content: Content) {
            self.offset = offset
            self.content = content
        }
    }

    /// A program that changes or converts the finished image.
    public struct ImageFilter: Equatable, Sendable {
        /// The command with its codes.
        public var command: [UInt8]
        /// What `%a` stands for.
        public var arguments: [UInt8]

        /// A command and its arguments.
        public init(_ command: [UInt8], arguments: [UInt8]) {
            self.command = command
            self.arguments = arguments
        }
    }
}

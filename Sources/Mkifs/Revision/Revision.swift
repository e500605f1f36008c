public import Format

/// What became of an image's tree: which records are gone, which have changed, and what was added.
///
/// Records are meant by their index in `directory.entries`. What no list names stays as it is.
public struct Revision: Sendable {
    /// Records that are gone; never the root's.
    public var removed: [Int] = []
    /// Records with another name, other attributes or other contents. All names of a file whose
    /// contents have changed are listed, each with the same contents.
    public var changed: [Node] = []
    /// Entries that no record of the image was; they come last, in this order, unless the directory
    /// is sorted.
    public var added: [Node] = []

    /// No change.
    public init() {}

    /// Whether nothing has changed.
    public var isEmpty: Bool { removed.isEmpty && changed.isEmpty && added.isEmpty }

    /// Where the bytes of a file come from.
    public enum FileContent: Sendable {
        /// They are those that a record of the image has.
        case record(Int)
        /// They are new.
        case new(Content)
    }

    /// What an entry is.
    public enum Kind: Sendable {
        case file(FileContent)
        case directory
        case symlink(target: [UInt8])
        /// A fifo, device, socket or named special, by its mode.
        case device(device: UInt32, rawDevice: UInt32)
    }

    /// How a new ELF file is stored, where that is not as the image's release does it. Bootstrap
    /// executables are stored in one way alone.
    public struct Treatment: Equatable, Sendable {
        /// `+raw`: as it is; `-raw`: laid out, whatever the image has at its name; nil for the way of
        /// the file that the image has.
        public var isRaw: Bool?
        /// `code=`; nil for the release's way.
        public var code: SegmentUse?
        /// `data=`; nil for the way of the image's other programs.
        public var data: SegmentUse?
        /// `+page_align`: a file that is no program begins on a page as well.
        public var isPageAligned = false

        /// As the release does it.
        public init() {}
    }

    /// One entry as it is now.
    public struct Node: Sendable {
        /// Without a leading slash; empty for the root.
        public var path: [UInt8]
        /// What it is.
        public var kind: Kind
        /// Type and permission bits.
        public var mode: UInt32
        /// Numeric id of the owner.
        public var user: UInt32
        /// Numeric id of the group.
        public var group: UInt32
        /// Seconds since 1970.
        public var modified: UInt32
        /// The record that it was; nil for a new entry.
        public var record: Int?
        /// How an ELF file among new contents is stored.
        public var treatment = Treatment()

        /// An entry.
        public init(
            _ path: [UInt8], _ kind: Kind, mode: UInt32, user: UInt32 = 0, group: UInt32 = 0,
            modified: UInt32 = 0, record: Int? = nil
        ) {
            self.path = path
            self.kind = kind
            self.mode = mode
            self.user = user
            self.group = group
            self.modified = modified
            self.record = record
        }

        /// The entry that a record of an image is, as it stands; nil for one of unknown type.
        public init?(_ record: Int, of image: IFS.Image) {
            guard image.directory.entries.indices.contains(record) else { return nil }
            let entry = image.directory.entries[record]
            let kind: Kind
            switch entry.kind {
            case .file: kind = .file(.record(record))
            case .directory: kind = .directory
            case .symlink: kind = .symlink(target: Array(image.directory.target(of: entry)))
            case .device(let device, let rawDevice):
                kind = .device(device: device, rawDevice: rawDevice)
            case .unknown: return nil
            }
            self.init(
                Array(image.directory.path(of: entry)), kind, mode: entry.mode, user: entry.user,
                group: entry.group, modified: entry.modified, record: record)
        }
    }
}

extension Revision.Node {
    /// The bytes of a file that are not the image's; nil for other entries.
    var newContent: Content? {
        guard case .file(.new(let content)) = kind else { return nil }
        return content
    }
}

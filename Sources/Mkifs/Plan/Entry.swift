public import Format

extension Plan {
    /// One entry of the image's tree.
    public struct Entry: Sendable {
        /// Without a leading slash; empty for the root.
        public var path: [UInt8]
        /// Type and permission bits, as far as nothing in `modeRules` changes them.
        public var mode: UInt32
        /// Numeric id of the owner.
        public var user: UInt32
        /// Numeric id of the group.
        public var group: UInt32
        /// Seconds since 1970.
        public var modified: UInt32
        /// The number; its flag bits are added to those that its kind brings.
        public var inode: UInt32
        /// What it is.
        public var kind: Kind
        /// Where its data goes.
        public var place: Location = .free
        /// What depends on how the file is laid out.
        public var modeRules: ModeRules = []
        /// What the image header says of it.
        public var role: Role = .none
        /// `extattr_offset` of the record.
        public var extendedAttributes: UInt16 = 0
        /// What stands behind the record's texts, where that is not zeros up to a multiple of 4.
        public var padding: [UInt8]?

        /// An entry.
        public init(
            _ path: [UInt8], _ kind: Kind, mode: UInt32, inode: UInt32, user: UInt32 = 0,
            group: UInt32 = 0, modified: UInt32 = 0
        ) {
            self.path = path
            self.kind = kind
            self.mode = mode
            self.inode = inode
            self.user = user
            self.group = group
            self.modified = modified
        }
    }

    /// What an entry is.
    public enum Kind: Sendable {
        /// A file that is stored as it is.
        case file(Content)
        /// An ELF file whose segments are laid out for use in the image.
        case program(Program)
        /// A file whose bytes are those at its fixed place, which other entries or remains bring.
        case extent(byteCount: UInt32)
        /// One more name of the file with this number.
        case hardLink(to: UInt32)
        case directory
        /// A symbolic link; that of a shared object takes its flags and x bits from the entry with
        /// the number `library`.
        case symlink(target: [UInt8], library: UInt32?)
        /// A fifo, device, socket or named special, by its mode.
        case device(device: UInt32, rawDevice: UInt32)
    }

    /// An ELF file to be laid out.
    public struct Program: Sendable {
        /// The file on the host.
        public var content: Content
        /// How its segments are treated.
        public var rules: ELFLayout.Rules
        /// How it is linked for its address; nil for not at all.
        public var link: Link?
        /// The command line of a bootstrap executable; nil for other files.
        public var arguments: IFS.BootArguments?

        /// A file with these rules.
        public init(_ content: Content, _ rules: ELFLayout.Rules) {
            self.content = content
            self.rules = rules
        }
    }

    /// Where an entry's data goes.
    public enum Location: Equatable, Sendable {
        /// Behind the entry before it, at an address that is a multiple of `unit`; entries of a
        /// group share blocks of `group` bytes as long as they fit.
        case inOrder(unit: UInt64, group: UInt64? = nil)
        /// Into the first gap that is large enough, the largest first.
        case free
        /// At an offset from the image header.
        case fixed(UInt64)
    }

    /// What becomes of the permission bits when it is known how the file is laid out.
    public struct ModeRules: OptionSet, Sendable {
        /// A bit for each rule.
        public let rawValue: UInt8
        /// A set of rules.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A file that was linked gets its x bits.
        public static let executableWhenLinked = ModeRules(rawValue: 1)
        /// The sticky bit is set where an x bit is and the program can be run many times.
        public static let sticky = ModeRules(rawValue: 2)
    }

    /// What the image header says of an entry.
    public enum Role: String, Sendable {
        case none
        case bootstrap
        case script
    }
}

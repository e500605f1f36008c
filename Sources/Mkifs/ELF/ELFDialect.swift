extension ELFLayout {
    /// What releases do differently with ELF files. `Profile.table` has what each of them does.
    public struct Dialect: Equatable, Sendable {
        /// What becomes of program headers that are neither copied, nor DYNAMIC, INTERP or PHDR, which
        /// stay.
        public enum OtherHeaders: Sendable {
            /// They become PT_NULL.
            case voided
            /// They stay as they are; where data has moved, their offsets are those of the source.
            case kept
            /// They stay, and so does a note inside a LOAD: all have offsets, and places in memory, of
            /// the new file.
            case moved
        }

        /// Which segments are used where they lie in the image.
        public enum UseInPlace: Sendable {
            /// Those that `code=` and `data=` say, and what a shared object writes to.
            case asTold
            /// All that are loaded. What a file other than a bootstrap executable writes to is copied
            /// by the loader, and keeps its size.
            case always
        }

        /// Which files that write to the image are marked as such that run only once.
        public enum RunOnce: Sendable {
            /// All, shared objects as well.
            case all
            /// All but programs that run at any address.
            case butMovable
            /// None: the loader copies what is written.
            case none
        }

        /// How the table of kept sections is put together.
        public enum Sections: Sendable {
            /// In the reverse order of the source; behind the table the contents, then the names, whose
            /// header is the last.
            case reversed
            /// In the order of the source; the names, whose header is the first, stand before the
            /// contents. What a segment holds is not stored twice.
            case inOrder
        }

        /// Program headers that nothing is copied for.
        public var otherHeaders: OtherHeaders
        /// Which segments are used in place.
        public var useInPlace: UseInPlace
        /// Which files are marked.
        public var runOnce: RunOnce
        /// Kept sections.
        public var sections: Sections
        /// Whether the size in the directory comes from a layout made in advance, in which a segment
        /// over the ELF header lies behind it.
        public var measuresInAdvance: Bool
    }

    /// What decides the layout besides the file itself.
    public struct Rules: Equatable, Sendable {
        /// What the release does.
        public var dialect: Dialect
        /// `code=uip`: segments that are executed and not written are used in place.
        public var usesCodeInPlace = true
        /// `data=uip`: segments that are written are used in place.
        public var usesDataInPlace = true
        /// The image is split: what is written lies in RAM, but for bootstrap executables.
        public var isSplit = false
        /// The file is a bootstrap executable.
        public var isBootstrap = false
        /// The bootfile gives bootstrap executables an address of their own (`vboot=`).
        public var hasBootAddress = false
        /// Bytes of a page.
        public var pageSize: UInt64 = 4096
        /// Whether segments of relocations stay: `+relocs`.
        public var keepsRelocations = true
        /// Names of the sections that stay.
        public var keptSections: [[UInt8]] = []

        /// The rules of an ordinary file in a bootable image of a release.
        public init(_ release: Release = .v64) { dialect = Profile(release).elf }
    }
}

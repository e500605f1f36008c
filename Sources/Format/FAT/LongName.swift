extension FAT {
    /// A part of a long name: 13 UTF-16 units in the place of a directory entry. The last part comes
    /// first, and the entry with the short name follows the first.
    ///
    /// Source: the specification, "FAT Long Directory Entries"; Linux `struct msdos_dir_slot`.
    public struct LongNamePart: Equatable, Sendable {
        /// UTF-16 units of a part.
        public static let unitCount = 13
        /// Parts that a name may have.
        public static let mostParts: UInt8 = 20
        /// `sequence`: the part is the name's last.
        public static let lastMark: UInt8 = 0x40

        /// The number of the part, from 1 on; with `lastMark` for the last.
        public var sequence: UInt8
        /// The units; behind the name's end a 0, then 0xffff.
        public var units: [UInt16]
        /// The sum of the short name.
        public var sum: UInt8
        /// 0: no other type is known.
        public var type: UInt8 = 0
        /// 0, where a short entry has its first cluster.
        public var cluster: UInt16 = 0

        enum At {
            static let sequence = Field<UInt8>(0, "long name part.sequence")
            static let attributes = Field<UInt8>(11, "long name part.attributes")
            static let type = Field<UInt8>(12, "long name part.type")
            static let sum = Field<UInt8>(13, "long name part.checksum")
            static let cluster = Field<UInt16>(26, "long name part.first cluster")
            static func unit(_ index: Int) -> Field<UInt16> {
                let offset =
                    switch index {
                    case ..<5: 1 &+ 2 &* index
                    case ..<11: 4 &+ 2 &* index
                    default: 6 &+ 2 &* index
                    }
                return Field(offset, "long name part.units")
            }
        }

        /// A part to write.
        public init(sequence: UInt8, units: [UInt16], sum: UInt8) {
            self.sequence = sequence
            self.units = units
            self.sum = sum
        }

        /// Reads the part at byte `base`. Throws `truncated`.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            sequence = try bytes.read(At.sequence, from: base, .little)
            type = try bytes.read(At.type, from: base, .little)
            sum = try bytes.read(At.sum, from: base, .little)
            cluster = try bytes.read(At.cluster, from: base, .little)
            units = []
            units.reserveCapacity(Self.unitCount)
            for index in 0..<Self.unitCount {
                units.append(try bytes.read(At.unit(index), from: base, .little))
            }
        }

        /// The 32 bytes; units that are missing are 0xffff.
        public var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: DirectoryEntry.byteCount)
            bytes.write(sequence, At.sequence, to: 0, .little)
            bytes.write(FileAttributes.longName.rawValue, At.attributes, to: 0, .little)
            bytes.write(type, At.type, to: 0, .little)
            bytes.write(sum, At.sum, to: 0, .little)
            bytes.write(cluster, At.cluster, to: 0, .little)
            for index in 0..<Self.unitCount {
                let unit = index < units.count ? units[index] : 0xffff
                bytes.write(unit, At.unit(index), to: 0, .little)
            }
            return bytes
        }
    }

    /// A long name, put together of its parts as they come. Parts that do not belong together, or not
    /// to the entry behind them, are forgotten.
    struct LongName {
        /// UTF-16 units that a name may have. Source: the specification.
        static let mostUnits = 255
        /// Bytes that they are in UTF-8, in which a unit takes three at most.
        static let mostBytes = 3 * mostUnits

        /// Parts in the order in which they come: the name's end first.
        private var parts: [[UInt16]] = []
        /// The number of the part that comes next; 0 when all are there.
        private var next: UInt8 = 0
        private var sum: UInt8 = 0
        /// Where the first of the parts at hand stands; nil while there are none.
        private(set) var start: UInt64?

        /// Takes the part at a place; returns where parts begin that it shows to belong to nothing.
        mutating func add(_ part: LongNamePart, at place: UInt64) -> UInt64? {
            let number = part.sequence & ~LongNamePart.lastMark
            let isLast = part.sequence & LongNamePart.lastMark != 0
            if isLast, (1...LongNamePart.mostParts).contains(number) {
                let orphan = start
                parts = [part.units]
                next = number &- 1
                sum = part.sum
                start = place
                return orphan
            }
            guard start != nil, !isLast, number > 0, number == next, part.sum == sum else {
                let orphan = start ?? place
                clear()
                return orphan
            }
            parts.append(part.units)
            next = number &- 1
            return nil
        }

        /// Forgets the parts at hand; returns where they begin.
        @discardableResult mutating func clear() -> UInt64? {
            let orphan = start
            parts = []
            next = 0
            start = nil
            return orphan
        }

        /// The units of the name that belongs to an entry; nil where none does. The parts are gone
        /// then.
        mutating func take(for entry: DirectoryEntry) -> [UInt16]? {
            defer { clear() }
            guard start != nil, next == 0, sum == entry.nameSum else { return nil }
            let units = Array(parts.reversed().joined().prefix { $0 != 0 })
            return units.isEmpty || units.count > Self.mostUnits ? nil : units
        }
    }
}

extension FAT {
    /// An entry's name in UTF-8 as a directory shows it: the long one, else the short one; nil where
    /// neither can be a name. A surrogate without its other half is U+FFFD.
    static func shownName(
        _ entry: DirectoryEntry, long units: [UInt16]?, _ codePage: CodePage
    ) -> [UInt8]? {
        if let units {
            let name = Array(String(decoding: units, as: UTF16.self).utf8)
            if isName(name) { return name }
        }
        let name = entry.shownShortName(codePage)
        return isName(name) ? name : nil
    }

    /// Whether bytes can be the name of an entry.
    static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name != [UInt8(ascii: ".")]
            && name != [UInt8(ascii: "."), UInt8(ascii: ".")]
            && !name.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }
}

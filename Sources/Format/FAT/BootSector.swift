extension FAT {
    /// The first 512 bytes of a volume: its measures, and code that a BIOS starts.
    ///
    /// Source: the specification, "Boot Sector and BPB"; Linux `include/uapi/linux/msdos_fs.h`,
    /// `struct fat_boot_sector`. Little-endian.
    public struct BootSector: Equatable, Sendable {
        /// Bytes of the structure, whatever the sectors' size.
        public static let byteCount = 512
        /// The last half-word of every boot sector.
        public static let signature: UInt16 = 0xaa55
        /// `extendedMark`: serial number, label and type are there.
        public static let extendedMark: UInt8 = 0x29
        /// `state`: the volume is mounted for writing, or was not unmounted.
        public static let dirtyState: UInt8 = 1

        /// The jump to the code, 3 bytes.
        public var jump: [UInt8]
        /// Who made the volume, 8 bytes.
        public var maker: [UInt8]
        /// Bytes of a sector: 512, 1024, 2048 or 4096.
        public var sectorSize: UInt16
        /// Sectors of a cluster, a power of two.
        public var sectorsPerCluster: UInt8
        /// Sectors before the first table, this one included.
        public var reservedSectorCount: UInt16
        /// Copies of the table.
        public var tableCount: UInt8
        /// Entries of the fixed root directory; 0 in FAT32.
        public var rootEntryCount: UInt16
        /// Sectors of the volume; 0 where `longSectorCount` has them.
        public var shortSectorCount: UInt16
        /// 0xf0, or 0xf8 and above; the first byte of the table has it again.
        public var media: UInt8
        /// Sectors of one table; 0 in FAT32.
        public var shortTableSize: UInt16
        /// What a BIOS calls the disk's shape.
        public var sectorsPerTrack: UInt16
        /// As above.
        public var headCount: UInt16
        /// Sectors of the disk before the volume.
        public var hiddenSectorCount: UInt32
        /// Sectors of the volume, if `shortSectorCount` is 0.
        public var longSectorCount: UInt32
        /// What FAT32 has besides.
        public var wide: Wide?
        /// What a BIOS calls the drive.
        public var drive: UInt8
        /// Bit 0: `dirtyState`. Source: Linux `msdos_fs.h`, `FAT_STATE_DIRTY`.
        public var state: UInt8
        /// 0x29 if what follows is there.
        public var extendedSignature: UInt8
        /// The volume's number.
        public var serial: UInt32
        /// 11 bytes in the code page, padded with blanks.
        public var label: [UInt8]
        /// 8 bytes of text that says nothing about the kind.
        public var type: [UInt8]
        /// The code, up to the last half-word.
        public var code: [UInt8]
        /// The last half-word; 0xaa55.
        public var endMark: UInt16

        /// The fields that only FAT32 has, and what follows 28 bytes later there.
        public struct Wide: Equatable, Sendable {
            /// Sectors of one table.
            public var tableSize: UInt32
            /// Bit 7: only the table numbered in bits 0-3 is kept up to date.
            public var flags: UInt16
            /// 0.
            public var version: UInt16
            /// Where the root directory begins.
            public var rootCluster: UInt32
            /// The sector of `FSInfo`; 0 or 0xffff where there is none.
            public var infoSector: UInt16
            /// The sector of this sector's copy; 0 where there is none.
            public var backupSector: UInt16
            /// 12 bytes.
            public var reserved: [UInt8]

            /// The usual places, and a table of this size.
            public init(tableSize: UInt32) {
                self.tableSize = tableSize
                flags = 0
                version = 0
                rootCluster = 2
                infoSector = 1
                backupSector = 6
                reserved = [UInt8](repeating: 0, count: 12)
            }
        }

        enum At {
            static let jump = ByteField(0, count: 3, "boot sector.jump")
            static let maker = ByteField(3, count: 8, "boot sector.oem name")
            static let sectorSize = Field<UInt16>(11, "boot sector.bytes per sector")
            static let sectorsPerCluster = Field<UInt8>(13, "boot sector.sectors per cluster")
            static let reservedSectorCount = Field<UInt16>(14, "boot sector.reserved sectors")
            static let tableCount = Field<UInt8>(16, "boot sector.number of tables")
            static let rootEntryCount = Field<UInt16>(17, "boot sector.root entries")
            static let shortSectorCount = Field<UInt16>(19, "boot sector.total sectors (16 bits)")
            static let media = Field<UInt8>(21, "boot sector.media")
            static let shortTableSize = Field<UInt16>(22, "boot sector.sectors per table (16 bits)")
            static let sectorsPerTrack = Field<UInt16>(24, "boot sector.sectors per track")
            static let headCount = Field<UInt16>(26, "boot sector.heads")
            static let hiddenSectorCount = Field<UInt32>(28, "boot sector.hidden sectors")
            static let longSectorCount = Field<UInt32>(32, "boot sector.total sectors")
            static let tableSize = Field<UInt32>(36, "boot sector.sectors per table")
            static let flags = Field<UInt16>(40, "boot sector.flags")
            static let version = Field<UInt16>(42, "boot sector.version")
            static let rootCluster = Field<UInt32>(44, "boot sector.root cluster")
            static let infoSector = Field<UInt16>(48, "boot sector.information sector")
            static let backupSector = Field<UInt16>(50, "boot sector.backup sector")
            static let reserved = ByteField(52, count: 12, "boot sector.reserved")
            // From here on, offsets count from 36, in FAT32 from 64.
            static let drive = Field<UInt8>(0, "boot sector.drive")
            static let state = Field<UInt8>(1, "boot sector.state")
            static let extendedSignature = Field<UInt8>(2, "boot sector.extended signature")
            static let serial = Field<UInt32>(3, "boot sector.serial number")
            static let label = ByteField(7, count: 11, "boot sector.label")
            static let type = ByteField(18, count: 8, "boot sector.type")
            static func code(_ start: Int) -> ByteField {
                ByteField(26, count: 510 &- start &- 26, "boot sector.code")
            }
            static let endMark = Field<UInt16>(510, "boot sector.signature")
            /// Where the fields behind the measures begin.
            static func extended(isWide: Bool) -> Int { isWide ? 64 : 36 }
        }

        /// Reads the sector at byte `base`. Throws `truncated`, or `corrupt` for measures that no
        /// volume can have. The last half-word is not asked for, as Linux does not.
        public init(parsing bytes: RawSpan, at base: Int = 0) throws(FormatError) {
            guard bytes.holds(Self.byteCount, at: base) else {
                throw .truncated(
                    Place("boot sector", UInt64(clamping: base)), needed: UInt64(Self.byteCount),
                    available: UInt64(clamping: max(0, bytes.byteCount &- max(0, base))))
            }
            jump = try bytes.read(At.jump, from: base)
            maker = try bytes.read(At.maker, from: base)
            sectorSize = try bytes.read(At.sectorSize, from: base, .little)
            sectorsPerCluster = try bytes.read(At.sectorsPerCluster, from: base, .little)
            reservedSectorCount = try bytes.read(At.reservedSectorCount, from: base, .little)
            tableCount = try bytes.read(At.tableCount, from: base, .little)
            rootEntryCount = try bytes.read(At.rootEntryCount, from: base, .little)
            shortSectorCount = try bytes.read(At.shortSectorCount, from: base, .little)
            media = try bytes.read(At.media, from: base, .little)
            shortTableSize = try bytes.read(At.shortTableSize, from: base, .little)
            sectorsPerTrack = try bytes.read(At.sectorsPerTrack, from: base, .little)
            headCount = try bytes.read(At.headCount, from: base, .little)
            hiddenSectorCount = try bytes.read(At.hiddenSectorCount, from: base, .little)
            longSectorCount = try bytes.read(At.longSectorCount, from: base, .little)
            wide = shortTableSize == 0 ? try Wide(parsing: bytes, at: base) : nil
            let start = At.extended(isWide: wide != nil)
            let rest = base &+ start
            drive = try bytes.read(At.drive, from: rest, .little)
            state = try bytes.read(At.state, from: rest, .little)
            extendedSignature = try bytes.read(At.extendedSignature, from: rest, .little)
            serial = try bytes.read(At.serial, from: rest, .little)
            label = try bytes.read(At.label, from: rest)
            type = try bytes.read(At.type, from: rest)
            code = try bytes.read(At.code(start), from: rest)
            endMark = try bytes.read(At.endMark, from: base, .little)
            // For its errors.
            _ = try located(at: UInt64(clamping: base)) { () throws(FormatError) in
                try geometry()
            }
        }

        /// The 512 bytes.
        public var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: Self.byteCount)
            bytes.write(jump, At.jump, to: 0)
            bytes.write(maker, At.maker, to: 0)
            bytes.write(sectorSize, At.sectorSize, to: 0, .little)
            bytes.write(sectorsPerCluster, At.sectorsPerCluster, to: 0, .little)
            bytes.write(reservedSectorCount, At.reservedSectorCount, to: 0, .little)
            bytes.write(tableCount, At.tableCount, to: 0, .little)
            bytes.write(rootEntryCount, At.rootEntryCount, to: 0, .little)
            bytes.write(shortSectorCount, At.shortSectorCount, to: 0, .little)
            bytes.write(media, At.media, to: 0, .little)
            bytes.write(shortTableSize, At.shortTableSize, to: 0, .little)
            bytes.write(sectorsPerTrack, At.sectorsPerTrack, to: 0, .little)
            bytes.write(headCount, At.headCount, to: 0, .little)
            bytes.write(hiddenSectorCount, At.hiddenSectorCount, to: 0, .little)
            bytes.write(longSectorCount, At.longSectorCount, to: 0, .little)
            wide?.write(to: &bytes)
            let start = At.extended(isWide: wide != nil)
            bytes.write(drive, At.drive, to: start, .little)
            bytes.write(state, At.state, to: start, .little)
            bytes.write(extendedSignature, At.extendedSignature, to: start, .little)
            bytes.write(serial, At.serial, to: start, .little)
            bytes.write(label, At.label, to: start)
            bytes.write(type, At.type, to: start)
            bytes.write(code, At.code(start), to: start)
            bytes.write(endMark, At.endMark, to: 0, .little)
            return bytes
        }

        /// Sectors of the volume.
        public var sectorCount: UInt32 {
            shortSectorCount == 0 ? longSectorCount : UInt32(shortSectorCount)
        }

        /// Sectors of one table.
        public var tableSize: UInt32 { wide?.tableSize ?? UInt32(shortTableSize) }
    }
}

extension FAT.BootSector.Wide {
    private typealias At = FAT.BootSector.At

    fileprivate init(parsing bytes: RawSpan, at base: Int) throws(FormatError) {
        tableSize = try bytes.read(At.tableSize, from: base, .little)
        flags = try bytes.read(At.flags, from: base, .little)
        version = try bytes.read(At.version, from: base, .little)
        rootCluster = try bytes.read(At.rootCluster, from: base, .little)
        infoSector = try bytes.read(At.infoSector, from: base, .little)
        backupSector = try bytes.read(At.backupSector, from: base, .little)
        reserved = try bytes.read(At.reserved, from: base)
    }

    fileprivate func write(to bytes: inout [UInt8]) {
        bytes.write(tableSize, At.tableSize, to: 0, .little)
        bytes.write(flags, At.flags, to: 0, .little)
        bytes.write(version, At.version, to: 0, .little)
        bytes.write(rootCluster, At.rootCluster, to: 0, .little)
        bytes.write(infoSector, At.infoSector, to: 0, .little)
        bytes.write(backupSector, At.backupSector, to: 0, .little)
        bytes.write(reserved, At.reserved, to: 0)
    }
}

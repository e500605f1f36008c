extension Disk.Part {
    /// What is said of a partition or its file system in one word.
    public enum Flag: String, Sendable, CaseIterable {
        /// The computer boots from it.
        case active
        /// The table forbids to write to it.
        case readOnly = "read-only"
        /// It is mounted, or was not unmounted cleanly.
        case dirty
        /// A read or write of it has failed once.
        case failed = "errors"
        /// Its end is missing.
        case cutOff = "cut"
    }

    /// Where its first byte stands in the file.
    public var offset: UInt64 { bytes.start }

    /// Those that are true of it, in the order of their cases.
    public var flags: [Flag] {
        var flags: Set<Flag> = []
        if partition?.isActive == true { flags.insert(.active) }
        if partition?.isReadOnly == true { flags.insert(.readOnly) }
        if let fat = volume as? FAT.Volume {
            if fat.boot.state & FAT.BootSector.dirtyState != 0 { flags.insert(.dirty) }
            // Whoever checks a table that cannot be read is told.
            if let (_, state) = try? fat.table.marks() {
                let kind = fat.geometry.kind
                if state & kind.cleanMark != kind.cleanMark { flags.insert(.dirty) }
                if state & kind.errorFreeMark != kind.errorFreeMark { flags.insert(.failed) }
            }
        } else if volume is QNX4Volume, let root = try? QNX4.rootRecord(in: bytes) {
            // The record was read when the volume was opened.
            if root.status & QNX4.Status.clean == 0 { flags.insert(.dirty) }
        }
        if cutOff != nil { flags.insert(.cutOff) }
        return Flag.allCases.filter(flags.contains)
    }

    /// Bytes of the file system that are not free; nil where nothing tells.
    public var usedByteCount: UInt64? {
        guard let volume else { return nil }
        if let fat = volume as? FAT.Volume {
            // Whoever checks a table that cannot be read is told.
            guard let free = try? fat.table.freeClusterCount() else { return nil }
            return UInt64(fat.geometry.clusterCount &- min(free, fat.geometry.clusterCount))
                &* fat.geometry.clusterSize
        }
        let statistics = volume.statistics
        return statistics.byteCount &- min(statistics.byteCount, statistics.freeByteCount)
    }
}

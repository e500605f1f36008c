extension FAT.Check {
    private typealias At = FAT.BootSector.At

    /// What the first sector says.
    mutating func checkBootSector() {
        let boot = volume.boot
        if boot.endMark != FAT.BootSector.signature {
            add(At.endMark.place(0), hex(boot.endMark), hex(FAT.BootSector.signature))
        }
        if let cutOff = volume.cutOff { add(cutOff) }
        let clusters = (geometry.byteCount &- geometry.dataStart) / geometry.clusterSize
        if clusters > UInt64(geometry.clusterCount) {
            let place = boot.wide == nil ? At.shortTableSize.place(0) : At.tableSize.place(0)
            add(place, "\(boot.tableSize)", "room for \(clusters) clusters")
        }
        if boot.wide != nil, clusters < FAT.Kind.leastOfFAT32 {
            add(
                boot.sectorCountPlace, "\(clusters) clusters",
                "\(FAT.Kind.leastOfFAT32) or more, as FAT32 must have")
        }
        if boot.state & FAT.BootSector.dirtyState != 0 {
            let start = At.extended(isWide: boot.wide != nil)
            add(At.state.place(start), hex(boot.state), "bit 0 clear: not unmounted cleanly")
        }
    }

    /// FAT32's copy of the first sector.
    mutating func checkBackup() {
        guard let wide = volume.boot.wide, wide.backupSector != 0, wide.backupSector != 0xffff
        else {
            return
        }
        guard wide.backupSector < volume.boot.reservedSectorCount else {
            add(
                At.backupSector.place(0), "\(wide.backupSector)",
                "one of \(volume.boot.reservedSectorCount) reserved sectors")
            return
        }
        attempt { check throws(FormatError) in
            let size = UInt64(FAT.BootSector.byteCount)
            let start = UInt64(wide.backupSector) &* check.geometry.sectorSize
            var one = try check.volume.source.bytes(size, at: 0, "boot sector")
            var other = try check.volume.source.bytes(size, at: start, "boot sector's copy")
            // Only the first says whether the volume is mounted.
            let state = At.extended(isWide: true) &+ At.state.offset
            one[state] = 0
            other[state] = 0
            guard let place = other.firstDifference(from: one) else { return }
            check.add(
                Place("boot sector's copy", start &+ UInt64(clamping: place)), hex(other[place]),
                "\(hex(one[place])), as in the boot sector")
        }
    }

    /// FAT32's information sector, `free` being the clusters that nothing uses.
    mutating func checkInformation(_ free: UInt32) throws(FormatError) {
        guard let wide = volume.boot.wide, wide.infoSector != 0, wide.infoSector != 0xffff else {
            return
        }
        let start = UInt64(wide.infoSector) &* geometry.sectorSize
        let bytes = try volume.source.bytes(
            UInt64(FAT.FSInfo.byteCount), at: start, "information sector")
        let info = try located(at: start) { () throws(FormatError) in
            try bytes.parsed { bytes throws(FormatError) in try FAT.FSInfo(parsing: bytes) }
        }
        guard info.freeClusterCount != FAT.FSInfo.unknown, info.freeClusterCount != free else {
            return
        }
        add(
            FAT.FSInfo.At.freeClusterCount.place(0).moved(by: start), "\(info.freeClusterCount)",
            "\(free), or 0xffffffff for unknown")
    }
}

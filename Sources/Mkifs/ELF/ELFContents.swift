public import Format

extension ELFLayout {
    /// The file as the image holds it: new headers, the segments at their places, the kept sections.
    /// `size` is that of the layout in advance. `physicalAddress` is where the file lies on the
    /// target, in physical memory.
    public func contents(
        of file: ELFFile, size: UInt64, physicalAddress: UInt64
    ) throws(FormatError) -> AssembledSource {
        var parts = [AssembledSource.Part(at: 0, MemorySource(try header(of: file)))]
        var table: [UInt8] = []
        for placed in segments {
            table += file.header.bytes(of: header(of: placed, physicalAddress, file))
            if let part = try part(of: placed, file) { parts.append(part) }
        }
        parts.append(
            AssembledSource.Part(at: UInt64(file.header.byteCount), MemorySource(table)))
        parts += sections.parts.map { $0.moved(by: sectionsOffset) }
        return try AssembledSource(parts, byteCount: size)
    }

    /// A segment's bytes in their place; nil for one that has none.
    private func part(
        of placed: Placed, _ file: ELFFile
    ) throws(FormatError) -> AssembledSource.Part? {
        guard case .copied(let offset, _, _) = placed.treatment else { return nil }
        // The headers' own bytes are new.
        let cut = placed.segment.offset == 0 ? file.headersEnd : 0
        guard placed.segment.fileSize > cut else { return nil }
        let window = WindowSource(
            file.source, from: placed.segment.offset &+ cut, count: placed.segment.fileSize &- cut)
        guard window.byteCount == placed.segment.fileSize &- cut else {
            throw .truncated(
                Place("ELF segment", placed.segment.offset), needed: placed.segment.fileSize,
                available: window.byteCount &+ cut)
        }
        return AssembledSource.Part(at: offset &+ cut, window)
    }

    private func header(
        of placed: Placed, _ physicalAddress: UInt64, _ file: ELFFile
    ) -> ELF.Header.Segment {
        let old = placed.segment
        func address(of offset: UInt64) -> UInt64 { (offset &+ physicalAddress) & file.allOnes }
        switch placed.treatment {
        case .copied(let offset, let fileSize, let isInPlace):
            return old.with(
                offset: offset, physicalAddress: isInPlace ? address(of: offset) : 0,
                fileSize: fileSize)
        case .inside(let offset):
            return old.with(offset: offset, physicalAddress: address(of: offset))
        case .kept: return old
        case .voided: return old.with(type: ELFFile.SegmentType.null)
        }
    }

    /// The ELF header with new places of its tables.
    private func header(of file: ELFFile) throws(FormatError) -> [UInt8] {
        file.header.moved(
            try file.source.bytes(UInt64(file.header.byteCount), at: 0, "ELF header"),
            sectionsOffset: sectionsOffset, sectionCount: sections.count,
            nameIndex: sections.nameIndex)
    }
}

extension ELF.Header.Segment {
    /// The same with other values.
    func with(
        type: UInt32? = nil, offset: UInt64? = nil, physicalAddress: UInt64? = nil,
        fileSize: UInt64? = nil
    ) -> ELF.Header.Segment {
        ELF.Header.Segment(
            type: type ?? self.type, offset: offset ?? self.offset,
            virtualAddress: virtualAddress,
            physicalAddress: physicalAddress ?? self.physicalAddress,
            fileSize: fileSize ?? self.fileSize, memorySize: memorySize, flags: flags,
            alignment: alignment)
    }
}

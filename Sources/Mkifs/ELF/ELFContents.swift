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
            guard let offset = placed.offset else { continue }
            // The headers' own bytes are new.
            let cut = placed.segment.offset == 0 ? file.headersEnd : 0
            guard placed.segment.fileSize > cut else { continue }
            let window = WindowSource(
                file.source, from: placed.segment.offset &+ cut,
                count: placed.segment.fileSize &- cut)
            guard window.byteCount == placed.segment.fileSize &- cut else {
                throw .truncated(
                    Place("ELF segment", placed.segment.offset), needed: placed.segment.fileSize,
                    available: window.byteCount &+ cut)
            }
            parts.append(AssembledSource.Part(at: offset &+ cut, window))
        }
        parts.append(
            AssembledSource.Part(at: UInt64(file.header.byteCount), MemorySource(table)))
        parts.append(AssembledSource.Part(at: sectionsOffset, MemorySource(sections)))
        return try AssembledSource(parts, byteCount: size)
    }

    private func header(
        of placed: Placed, _ physicalAddress: UInt64, _ file: ELFFile
    ) -> ELF.Header.Segment {
        let old = placed.segment
        guard let offset = placed.offset else {
            switch old.type {
            case ELFFile.SegmentType.dynamic, ELFFile.SegmentType.interpreter,
                ELFFile.SegmentType.programHeaders:
                return old
            default: return old.with(type: ELFFile.SegmentType.null)
            }
        }
        return old.with(
            offset: offset,
            physicalAddress: placed.isInPlace
                ? (offset &+ physicalAddress) & file.allOnes : 0,
            fileSize: placed.fileSize)
    }

    /// The ELF header with new places of its tables.
    private func header(of file: ELFFile) throws(FormatError) -> [UInt8] {
        file.header.moved(
            try file.source.bytes(UInt64(file.header.byteCount), at: 0, "ELF header"),
            sectionsOffset: sectionsOffset, sectionCount: keptCount > 0 ? keptCount + 2 : 0)
    }
}

extension ELF.Header.Segment {
    /// The same with other values.
    fileprivate func with(
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

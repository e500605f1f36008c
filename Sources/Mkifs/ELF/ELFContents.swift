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
            table += file.bytes(of: header(of: placed, physicalAddress, file))
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
            AssembledSource.Part(at: UInt64(file.headerByteCount), MemorySource(table)))
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
        var bytes = try file.source.bytes(
            UInt64(file.headerByteCount), at: 0, "ELF header")
        let order = file.header.order
        let wide = file.header.is64Bit
        let isKept = keptCount > 0
        let tables = wide ? (32, 40, 58) : (28, 32, 46)
        bytes.put(UInt64(file.headerByteCount), at: tables.0, count: wide ? 8 : 4, order)
        bytes.put(isKept ? sectionsOffset : 0, at: tables.1, count: wide ? 8 : 4, order)
        let counts = isKept ? [file.sectionByteCount, keptCount + 2, keptCount + 1] : [0, 0, 0]
        for (index, value) in counts.enumerated() {
            bytes.put(UInt64(value), at: tables.2 + 2 * index, count: 2, order)
        }
        return bytes
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

extension ELFFile {
    /// A program header as it is stored in a file of this class and byte order.
    fileprivate func bytes(of segment: ELF.Header.Segment) -> [UInt8] {
        var row = Row(header)
        row.word(segment.type)
        if header.is64Bit { row.word(segment.flags) }
        row.wide(segment.offset)
        row.wide(segment.virtualAddress)
        row.wide(segment.physicalAddress)
        row.wide(segment.fileSize)
        row.wide(segment.memorySize)
        if !header.is64Bit { row.word(segment.flags) }
        row.wide(segment.alignment)
        return row.bytes
    }

    /// A section header as it is stored; `name` is the name's place in the table of names.
    func bytes(of section: Section, name: UInt32) -> [UInt8] {
        var row = Row(header)
        row.word(name)
        row.word(section.type)
        row.wide(section.flags)
        row.wide(section.address)
        row.wide(section.offset)
        row.wide(section.size)
        row.word(section.link)
        row.word(section.info)
        row.wide(section.alignment)
        row.wide(section.entrySize)
        return row.bytes
    }
}

/// One row of an ELF table; wide fields are as wide as the class.
private struct Row {
    private(set) var bytes: [UInt8] = []
    private let header: ELF.Header

    init(_ header: ELF.Header) { self.header = header }

    mutating func word(_ value: UInt32) { append(UInt64(value), 4) }

    mutating func wide(_ value: UInt64) { append(value, header.is64Bit ? 8 : 4) }

    private mutating func append(_ value: UInt64, _ count: Int) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: count)
        bytes.put(value, at: start, count: count, header.order)
    }
}

extension [UInt8] {
    /// Writes the low `count` bytes of a value.
    fileprivate mutating func put(
        _ value: UInt64, at offset: Int, count: Int, _ order: ByteOrder
    ) {
        for index in 0..<count {
            let shift = UInt64(order == .little ? index : count - 1 - index) * 8
            self[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }
}

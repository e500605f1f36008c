internal import Format

/// The section header table of a file of which a few sections stay, with their bytes and names.
struct KeptSections: Sendable {
    /// The table and what follows it, from the table on; none where no section is kept.
    let parts: [AssembledSource.Part]
    /// Bytes of all parts, which lie side by side.
    let byteCount: UInt64
    /// How many headers there are, the null section's included.
    let count: Int
    /// The number of the section that has the names.
    let nameIndex: Int

    /// The sections of `file` that `rules` name, for a table at `offset` of the new file.
    init(
        _ file: ELFFile, _ rules: ELFLayout.Rules, at offset: UInt64, _ loads: ELFMoves
    ) throws(FormatError) {
        let isInOrder = rules.dialect.sections == .inOrder
        var kept = file.sections.dropFirst().filter { rules.keptSections.contains($0.name) }
        if !isInOrder { kept.reverse() }
        guard !kept.isEmpty else {
            (parts, byteCount, count, nameIndex) = ([], 0, 0, 0)
            return
        }
        count = kept.count + 2
        nameIndex = isInOrder ? 1 : kept.count + 1
        var texts: [UInt8] = [0] + Array(".shstrtab".utf8) + [0]
        var places: [UInt32] = []
        for section in kept {
            places.append(UInt32(clamping: texts.count))
            texts += section.name + [0]
        }
        let step = file.header.sectionByteCount
        let table = UInt64(step * count)
        var end = table &+ UInt64(isInOrder ? texts.count : 0)
        var contents: [AssembledSource.Part] = []
        var headers: [UInt8] = []
        for (section, name) in zip(kept, places) {
            var moved = section
            if isInOrder, let place = section.place(in: loads) {
                moved.offset = place
            } else {
                moved.offset = offset &+ end
                contents.append(.init(at: end, try section.contents(of: file)))
                end &+= section.size
            }
            headers += file.header.bytes(of: moved, name: name)
        }
        let namesPlace = isInOrder ? table : end
        let names = ELF.Section(namesAt: offset &+ namesPlace, size: UInt64(texts.count))
        let header = file.header.bytes(of: names, name: 1)
        let null = [UInt8](repeating: 0, count: step)
        let all = isInOrder ? null + header + headers : null + headers + header
        parts =
            [.init(at: 0, MemorySource(all)), .init(at: namesPlace, MemorySource(texts))]
            + contents
        byteCount = isInOrder ? end : end &+ UInt64(texts.count)
    }
}

extension ELF.Section {
    /// `SHF_ALLOC`.
    private static let isInMemory: UInt64 = 2

    /// Where a segment has its bytes in the new file; nil for none.
    fileprivate func place(in loads: ELFMoves) -> UInt64? {
        flags & Self.isInMemory != 0 ? loads.place(of: offset, count: size) : nil
    }

    fileprivate func contents(of file: ELFFile) throws(FormatError) -> WindowSource {
        let window = WindowSource(file.source, from: offset, count: size)
        guard window.byteCount == size else {
            throw .truncated(
                Place("ELF section \(printable(name))", offset), needed: size,
                available: window.byteCount)
        }
        return window
    }
}

internal import Format

/// The section header table of a file of which a few sections stay, with their bytes and names.
struct KeptSections: Sendable {
    /// The table and what follows it; none where no section is kept.
    let bytes: [UInt8]
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
            (bytes, count, nameIndex) = ([], 0, 0)
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
        let base = offset &+ UInt64(step * count)
        var contents: [UInt8] = isInOrder ? texts : []
        var headers: [UInt8] = []
        for (section, name) in zip(kept, places) {
            var moved = section
            if isInOrder, let place = section.place(in: loads) {
                moved.offset = place
            } else {
                moved.offset = base &+ UInt64(contents.count)
                contents += try section.contents(of: file)
            }
            headers += file.header.bytes(of: moved, name: name)
        }
        let names = ELF.Section(
            namesAt: base &+ UInt64(isInOrder ? 0 : contents.count), size: UInt64(texts.count))
        let header = file.header.bytes(of: names, name: 1)
        let null = [UInt8](repeating: 0, count: step)
        bytes =
            isInOrder
            ? null + header + headers + contents : null + headers + header + contents + texts
    }
}

extension ELF.Section {
    /// `SHF_ALLOC`.
    private static let isInMemory: UInt64 = 2

    /// Where a segment has its bytes in the new file; nil for none.
    fileprivate func place(in loads: ELFMoves) -> UInt64? {
        flags & Self.isInMemory != 0 ? loads.place(of: offset, count: size) : nil
    }

    fileprivate func contents(of file: ELFFile) throws(FormatError) -> [UInt8] {
        try file.source.bytes(size, at: offset, "ELF section \(printable(name))")
    }
}

internal import Format

/// What stands before an image file system: a startup header and what follows it.
struct StartupArea {
    /// Complete but for what depends on the image file system.
    var header: IFS.StartupHeader
    /// All bytes between header and trailer.
    let program: any ByteSource
    /// Where the program begins to run; nil for what another image had.
    let entryAddress: UInt64?
    /// The host's file; nil for what another image had.
    let path: [UInt8]?

    /// Bytes that a startup program may take in memory.
    private static let limit: UInt64 = 64 << 20

    /// What another image has. Throws where the bytes are not as many as its header says.
    init(stored header: IFS.StartupHeader, program: any ByteSource) throws(MkifsError) {
        let rest = IFS.StartupHeader.byteCount + header.trailerSize
        let expected = Int64(header.startupSize) - Int64(rest)
        guard Int64(clamping: program.byteCount) == expected else {
            throw .refused(
                "startup: found \(program.byteCount) bytes, expected \(expected), which are"
                    + " startup_size without header and trailer")
        }
        self.header = header
        self.program = program
        entryAddress = nil
        path = nil
    }

    /// Links a startup program and takes it apart: it is stored as it lies in memory. `runAddress`
    /// is that of the startup header.
    init(
        _ executable: Plan.Executable, _ layout: Layout, runAddress: UInt64, behind loaded: UInt64
    ) throws(MkifsError) {
        let head = UInt64(IFS.StartupHeader.byteCount)
        let run = runAddress &+ head
        let plan = layout.plan
        let name = executable.content.name
        let source =
            if let link = executable.link {
                try layout.toolbox.linked(
                    executable.content, link,
                    Toolbox.Addresses(
                        header: run, text: run, kind: .startup, pageSize: plan.pageSize))
            } else {
                try layout.toolbox.source(of: executable.content)
            }
        do throws(FormatError) {
            let file = try ELFFile(source)
            let memory = try Self.memory(
                of: file, at: run, plan.pageSize, layout.profile.elf)
            try Self.require(file.header.entry, within: memory.byteCount, from: run)
            let filled = try executable.arguments.replacingPlaceHolder(
                in: memory, plan.order, address: runAddress, layout.profile.bootArguments)
            let trailer = UInt64(layout.trailerSize)
            let end = (loaded &+ head &+ filled.byteCount &+ trailer).rounded(up: 8)
            let size = end &- loaded
            program = try AssembledSource(
                [AssembledSource.Part(at: 0, filled)], byteCount: size &- head &- trailer)
            var header = IFS.StartupHeader(plan.order)
            header.flags1 |= IFS.StartupHeader.virtualFlag
            header.machine = file.header.machine
            header.startupSize = UInt32(clamping: size)
            self.header = header
            entryAddress = file.header.entry
            path = name
        } catch {
            throw .file(name, error)
        }
    }

    /// A program that was linked for another place starts where nothing of it is.
    private static func require(
        _ entry: UInt64, within count: UInt64, from run: UInt64
    ) throws(FormatError) {
        guard entry < run || entry &- run >= count else { return }
        throw .unsupported(
            Place("ELF header.e_entry", 0), found: hex(entry),
            expected: "a place in the startup program, which runs from \(hex(run)) on")
    }

    /// The program as it lies in memory from `run` on, its BSS included, in whole pages. Notes follow
    /// behind, as far as the release copies them at all, and then pages are not filled.
    private static func memory(
        of file: ELFFile, at run: UInt64, _ pageSize: UInt64, _ dialect: ELFLayout.Dialect
    ) throws(FormatError) -> any ByteSource {
        var memory: [UInt8] = []
        for segment in file.header.segments
        where segment.type == ELFFile.SegmentType.load && segment.fileSize > 0 {
            try load(segment, of: file, at: run, into: &memory)
        }
        let notes = try notes(of: file, dialect)
        let size = notes.isEmpty ? UInt64(memory.count).rounded(up: pageSize) : 0
        memory += [UInt8](repeating: 0, count: max(0, Int(clamping: size) - memory.count))
        return MemorySource(memory + notes)
    }

    private static func load(
        _ segment: ELF.Header.Segment, of file: ELFFile, at run: UInt64, into memory: inout [UInt8]
    ) throws(FormatError) {
        let start = segment.virtualAddress
        // What lies before the run address are the file's own headers.
        let cut = min(run &- min(run, start), segment.memorySize)
        let place = start &- min(run, start)
        let (end, overflow) = place.addingReportingOverflow(segment.memorySize &- cut)
        guard !overflow, end <= limit else {
            throw .unsupported(
                Place("ELF segment", segment.offset),
                found: "a startup segment of \(segment.memorySize) bytes at \(hex(start))",
                expected: "one within \(hex(limit)) bytes from \(hex(run)) on")
        }
        let missing = Int(clamping: end) - memory.count
        if missing > 0 { memory += [UInt8](repeating: 0, count: missing) }
        guard segment.fileSize > cut else { return }
        let bytes = try file.source.bytes(
            segment.fileSize &- cut, at: segment.offset &+ cut, "ELF segment")
        let first = Int(clamping: place)
        guard bytes.count <= memory.count - first else {
            throw .corrupt(
                Place("ELF segment.p_filesz", segment.offset), found: "\(segment.fileSize)",
                expected: "no more than p_memsz \(segment.memorySize)")
        }
        memory.replaceSubrange(first..<(first + bytes.count), with: bytes)
    }

    /// The notes that are copied behind the program, as a real startup of 6.4 has them.
    private static func notes(
        of file: ELFFile, _ dialect: ELFLayout.Dialect
    ) throws(FormatError) -> [UInt8] {
        var notes: [UInt8] = []
        let loaded = file.loaded
        for segment in file.header.segments where segment.type == ELFFile.SegmentType.note {
            guard segment.fileSize > 0, dialect.copiesNote(segment, loaded) else { continue }
            notes += try file.source.bytes(segment.fileSize, at: segment.offset, "ELF note")
            guard notes.count <= limit else {
                throw .unsupported(
                    Place("ELF segment", segment.offset), found: "\(notes.count) bytes of notes",
                    expected: "\(limit) at most")
            }
        }
        return notes
    }
}

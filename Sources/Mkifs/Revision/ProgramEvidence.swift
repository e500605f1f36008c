internal import Format

/// What the programs of an image tell of how they were laid out.
struct ProgramEvidence {
    /// The processor that they are for; nil without a program.
    private(set) var machine: UInt16?
    /// The release whose traces they bear; nil where the headers tell more.
    private(set) var release: Release?
    /// Whether one of them has its data copied by the loader, so that it can run many times.
    private(set) var copiesData = false

    /// The physical address of the image header, by a segment in place; nil without one.
    private(set) var address: UInt64?

    /// Programs that are looked into, at most.
    private static let sampleCount = 64

    /// Looks at the records, and into some of the programs.
    init(_ image: IFS.Image) throws(FormatError) {
        let programs = image.directory.entries.filter(Self.isProgram)
        let runOnce = programs.contains { $0.inode & IFS.Dirent.runOnceFlag != 0 }
        let sticky = programs.contains { $0.mode & 0o1000 != 0 }
        var hasVoidedHeaders = false
        for entry in programs.prefix(Self.sampleCount) {
            guard let header = ELF.Header(try image.head(of: entry)) else { continue }
            machine = machine ?? header.machine
            address = address ?? Self.address(header, entry)
            let isProgram = header.type == ELFFile.FileType.executable
            copiesData = copiesData || isProgram && Self.copiesData(header, entry)
            hasVoidedHeaders =
                hasVoidedHeaders
                || header.segments.contains { $0.type == ELFFile.SegmentType.null }
        }
        let laterFlags = IFS.ImageHeader.sortedFlag | IFS.ImageHeader.trailerV2Flag
        guard image.header.flags & laterFlags == 0, runOnce || sticky else { return }
        release = hasVoidedHeaders ? .v64 : .v66
    }

    private static func isProgram(_ entry: IFS.Dirent) -> Bool {
        guard case .file = entry.kind else { return false }
        return entry.inode & IFS.Dirent.processedFlag != 0
            && entry.inode & IFS.Dirent.bootstrapFlag == 0
    }

    private static func address(_ header: ELF.Header, _ entry: IFS.Dirent) -> UInt64? {
        guard case .file(let offset, _) = entry.kind else { return nil }
        let segment = header.segments.first {
            $0.type == ELFFile.SegmentType.load && $0.fileSize > 0 && $0.physicalAddress != 0
        }
        guard let segment else { return nil }
        let address = segment.physicalAddress &- segment.offset &- UInt64(offset)
        return header.is64Bit ? address : address & 0xffff_ffff
    }

    /// Whether what a program writes is copied: its `p_paddr` is 0.
    private static func copiesData(_ header: ELF.Header, _ entry: IFS.Dirent) -> Bool {
        header.segments.contains {
            $0.type == ELFFile.SegmentType.load && $0.isWritten && $0.fileSize > 0
                && $0.physicalAddress == 0
        }
    }
}

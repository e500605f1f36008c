internal import Format

/// Bytes that an image has not got yet, and what they ask of their place.
struct Payload {
    private enum Form {
        case plain(any ByteSource, isPageAligned: Bool)
        /// A program that is laid out, as it is for the offset `origin`.
        case laidOut(any ByteSource, ImageProgram, origin: UInt64)
        /// A program that is to be laid out.
        case program(Plan.Program, ELFFile, ELFLayout.Rules)
    }

    private let form: Form
    private let content: Content
    /// The flags of the inode number that these bytes bring with them.
    let flags: UInt32

    /// Bytes that are stored as they are.
    init(_ content: Content, _ source: any ByteSource, isPageAligned: Bool = false) {
        self.content = content
        form = .plain(source, isPageAligned: isPageAligned)
        flags = 0
    }

    /// A program as it lies in an image, or with other bytes in its segments.
    init(_ source: any ByteSource, _ program: ImageProgram, origin: UInt64, flags: UInt32) {
        content = .source(source)
        form = .laidOut(source, program, origin: origin)
        self.flags = flags
    }

    /// A program that is laid out by these rules.
    init(_ program: Plan.Program, _ file: ELFFile, _ rules: ELFLayout.Rules) {
        content = program.content
        form = .program(program, file, rules)
        flags = 0
    }

    /// Whether it can go to no place but its own.
    var isFixed: Bool {
        guard case .laidOut(_, let program, _) = form else { return false }
        return program.isFixed || flags & IFS.Dirent.bootstrapFlag != 0
    }

    /// What a place has to be a multiple of, and what is left of it.
    func alignment(_ addresses: ImageAddresses) -> (unit: UInt64, phase: UInt64) {
        switch form {
        case .plain(_, isPageAligned: false): (1, 0)
        case .plain, .program: (addresses.pageSize, addresses.pagePhase)
        case .laidOut(_, let program, let origin): (program.unit, origin % program.unit)
        }
    }

    /// The fewest bytes that it takes anywhere.
    var least: UInt64 {
        switch form {
        case .plain(let source, _), .laidOut(let source, _, _): source.byteCount
        case .program: 1
        }
    }

    /// Bytes that it takes at an offset from the image header.
    func size(at offset: UInt64, _ addresses: ImageAddresses) throws(MkifsError) -> UInt64 {
        switch form {
        case .plain(let source, _), .laidOut(let source, _, _): return source.byteCount
        case .program(let program, let file, let rules):
            do throws(FormatError) {
                return try ELFLayout.size(
                    of: file, rules, at: addresses[offset].linked)
            } catch {
                throw .file(program.content.name, error)
            }
        }
    }

    /// What the plan has for these bytes at an offset.
    func kind(at offset: UInt64) throws(FormatError) -> Plan.Kind {
        switch form {
        case .plain: .file(content)
        case .program(let program, _, _): .program(program)
        case .laidOut(let source, let program, let origin):
            .file(.source(try program.moved(source, by: offset &- origin)))
        }
    }
}

extension ELFLayout {
    /// Bytes of a file that is no bootstrap executable, at an address of the image.
    static func size(
        of file: ELFFile, _ rules: Rules, at address: UInt64
    ) throws(FormatError) -> UInt64 {
        let advance = try ELFLayout(
            file, rules, runAddress: 0, inAdvance: rules.dialect.measuresInAdvance)
        let layout = try ELFLayout(file, rules, runAddress: address, inAdvance: false)
        return max(advance.size, layout.size)
    }
}

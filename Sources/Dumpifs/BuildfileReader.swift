import Format

/// Finds out what each entry of an image is to a buildfile.
struct BuildfileReader {
    private let image: IFS.Image
    /// What the tree leaves out or has a reservation about, by the place of the record.
    private let problems: [UInt32: IFS.Finding.Problem]
    /// Whether a file is an ELF file, or why that cannot be told, by the place of the record.
    private let heads: [UInt32: Result<Bool, FormatError>]
    private let script: IFS.Dirent?

    /// Throws where the image's tree cannot be made.
    init(_ image: IFS.Image) throws(FormatError) {
        self.image = image
        script = image.script
        let findings = try IFS.ImageVolume(image, partial: true).findings
        problems = Dictionary(
            findings.map { ($0.entry.recordOffset, $0.problem) }, uniquingKeysWith: { $1 })
        heads = Self.heads(of: image, except: problems)
    }

    /// An entry as a buildfile has it.
    func entry(_ entry: IFS.Dirent) -> BuildfileEntry {
        let path = Array(image.directory.path(of: entry))
        var remarks: [String] = []
        var isReadable = true
        var form = form(of: entry, &remarks, &isReadable)
        if entry.extendedAttributes != 0, problems[entry.recordOffset] == nil {
            remarks.append("its extended attributes are left out; a buildfile has none")
        }
        if let obstacle = Self.obstacle(path, form) {
            remarks = [obstacle]
            form = .comment(obstacle)
        }
        return BuildfileEntry(
            path: path, form: form, permissions: entry.mode & 0o7777, user: entry.user,
            group: entry.group, modified: entry.modified,
            isLaidOut: form == .file(isELF: true) && entry.inode & IFS.Dirent.processedFlag != 0,
            remarks: remarks, isReadable: isReadable)
    }

    private func form(
        of entry: IFS.Dirent, _ remarks: inout [String], _ isReadable: inout Bool
    ) -> BuildfileEntry.Form {
        if let problem = problems[entry.recordOffset], !isHarmless(problem, to: entry) {
            return .comment(problem.rawValue)
        }
        do throws(FormatError) {
            switch entry.kind {
            case .file:
                if entry == script { return try scriptForm(&remarks, &isReadable) }
                return .file(isELF: try heads[entry.recordOffset]?.get() ?? false)
            case .directory: return .directory
            case .symlink: return .link(text: Array(image.directory.target(of: entry)))
            case .device where entry.mode & IFS.Dirent.ModeType.mask == IFS.Dirent.ModeType.fifo:
                return .fifo
            case .device(_, let rawDevice):
                remarks = ["a \(entry.typeName), for which a buildfile has no type"]
                return .comment("\(remarks[0]); \(Self.facts(entry)), rdev \(rawDevice)")
            case .unknown: return .comment(IFS.Finding.Problem.unknownType.rawValue)
            }
        } catch {
            isReadable = false
            remarks = ["unreadable: \(error)"]
            return .comment("unreadable: \(error)")
        }
    }

    /// Whether a line can say of an entry what the tree cannot show: it needs no extracted file.
    private func isHarmless(_ problem: IFS.Finding.Problem, to entry: IFS.Dirent) -> Bool {
        guard problem == .belowFile || problem == .belowSymlink else { return false }
        if case .file = entry.kind { return entry == script }
        return true
    }

    private func scriptForm(
        _ remarks: inout [String], _ isReadable: inout Bool
    ) throws(FormatError) -> BuildfileEntry.Form {
        let script = IFS.Script(try image.scriptData())
        for (index, command) in script.commands.enumerated() {
            if let loss = command.lossInBuildfile {
                remarks.append("command \(index + 1) of the script is not what it was: \(loss)")
            }
        }
        if let broken = script.broken {
            isReadable = false
            remarks.append("the script breaks off: \(broken)")
        }
        return .script(script.buildfileText)
    }

    private static func facts(_ entry: IFS.Dirent) -> String {
        "uid \(entry.user), gid \(entry.group), mode 0\(String(entry.mode & 0o7777, radix: 8))"
    }

    /// Why no line can hold the names that this one needs; nil where it can.
    private static func obstacle(_ path: [UInt8], _ form: BuildfileEntry.Form) -> String? {
        if case .comment = form { return nil }
        let newline = UInt8(ascii: "\n")
        if path.contains(newline) { return "a newline in its name, which no buildfile can hold" }
        if case .link(let text) = form, text.contains(newline) {
            return "a newline in its target, which no buildfile can hold"
        }
        return nil
    }

    /// Looks into the files in the order in which they lie, so that packed ones unpack once.
    private static func heads(
        of image: IFS.Image, except problems: [UInt32: IFS.Finding.Problem]
    ) -> [UInt32: Result<Bool, FormatError>] {
        let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
        var files: [(offset: UInt32, record: UInt32)] = []
        for entry in image.directory.entries where problems[entry.recordOffset] == nil {
            if case .file(let offset, let size) = entry.kind, Int(size) >= magic.count {
                files.append((offset, entry.recordOffset))
            }
        }
        files.sort { ($0.offset, $0.record) < ($1.offset, $1.record) }
        var heads: [UInt32: Result<Bool, FormatError>] = [:]
        for file in files {
            heads[file.record] = Result { () throws(FormatError) in
                try image.contents.prefix(magic.count, at: UInt64(file.offset)) == magic
            }
        }
        return heads
    }
}

extension IFS.Script.Command {
    /// What the command's line in a buildfile does not say, or says otherwise; nil where mkifs
    /// makes the same command of it.
    fileprivate var lossInBuildfile: String? {
        if words.contains(where: { $0.contains(UInt8(ascii: "\n")) }) {
            return "no word of a line can hold a newline"
        }
        switch self {
        case .unknown(let type, _): return "its type \(type) is unknown, and it is a comment"
        case .displayMessage(let text) where !text.isEmpty && text.last != UInt8(ascii: "\n"):
            return "its text gets a newline at the end"
        case .external(let modifiers, _, let arguments, _):
            if modifiers.isCritical { return "a buildfile cannot call it critical" }
            if arguments.count > 1, arguments.last == Array("&".utf8), !modifiers.isBackground {
                return "its last argument, '&', reads as 'do not wait'"
            }
            return nil
        default: return nil
        }
    }

    /// What has to be a word of a line.
    private var words: [[UInt8]] {
        switch self {
        case .external(_, let path, let arguments, let environment):
            [path] + arguments + environment
        case .waitfor(let path, _), .reopen(let path, _): [path]
        case .displayMessage(let text): [text.last == UInt8(ascii: "\n") ? text.dropLast() : text]
        case .symlink(let target, let path): [target, path]
        case .partition(let name, _, _, _): [name]
        case .unknown: []
        }
    }
}

import Format
import ToolSupport

/// An entry of an image's directory on its way into a buildfile.
struct BuildfileEntry {
    /// What the entry becomes.
    enum Form: Equatable {
        case file(isELF: Bool)
        case directory
        case link(text: [UInt8])
        case fifo
        /// The startup script, as the lines of its section.
        case script([[UInt8]])
        /// A comment that says why it is no more.
        case comment(String)
    }

    let path: [UInt8]
    let form: Form
    let permissions: UInt32
    let user: UInt32
    let group: UInt32
    let modified: UInt32
    /// Whether mkifs laid the file out for its place.
    let isLaidOut: Bool
    /// What is lost, beyond what a look at the directory shows.
    let remarks: [String]
    /// False where bytes that the line is made of could not be read.
    let isReadable: Bool

    /// Whether it is more than a comment.
    var isWritten: Bool { if case .comment = form { false } else { true } }

    /// Whether it is the root as mkifs makes it by itself. A line for that would make a second one
    /// with mkifs of 6.4.
    var isUsualRoot: Bool {
        path.isEmpty && form == .directory && permissions == 0o755
            && (user, group, modified) == (0, 0, 0)
    }

    /// The entries of an image, in the order of its directory.
    static func all(of image: IFS.Image) throws(FormatError) -> [BuildfileEntry] {
        let reader = try BuildfileReader(image)
        return image.directory.entries.map(reader.entry)
    }

    // MARK: Printing

    /// Prints its line, and before that what is to say of it.
    func print(to page: BuildfilePage, _ defaults: BuildfileDefaults) {
        let name = printable(path)
        if case .comment(let reason) = form { return page.comment("'\(name)': \(reason)") }
        for remark in remarks { page.comment("'\(name)': \(remark)") }
        let words = attributes(defaults)
        var line = words.isEmpty ? [] : Array("[\(words.joined(separator: " "))] ".utf8)
        // A name that no line can hold has made this a comment.
        line += path.isEmpty ? Array("/".utf8) : BuildfileWord.name(path) ?? []
        switch form {
        case .file: line += Array("=".utf8) + (BuildfileWord.name(path) ?? [])
        case .link(let text): line += Array("=".utf8) + (BuildfileWord.name(text) ?? [])
        case .script(let lines): return printScript(line, lines, to: page)
        case .directory, .fifo, .comment: break
        }
        page.line(line)
    }

    private func printScript(_ line: [UInt8], _ lines: [[UInt8]], to page: BuildfilePage) {
        page.line(line + Array(" = {".utf8))
        for line in lines { page.line(Array("    ".utf8) + line) }
        page.line("}")
    }

    private func attributes(_ defaults: BuildfileDefaults) -> [String] {
        var words: [String] = []
        switch form {
        case .directory: words.append("type=dir")
        case .link: words.append("type=link")
        case .fifo: words.append("type=fifo")
        case .script: words.append("+script")
        case .file(let isELF): if isELF { words.append("+raw") }
        case .comment: break
        }
        if user != defaults.user { words.append("uid=\(user)") }
        if group != defaults.group { words.append("gid=\(group)") }
        if form == .directory {
            if permissions != defaults.directoryPermissions {
                words.append("dperms=" + octal(permissions))
            }
        } else if permissions != defaults.permissions {
            words.append("perms=" + octal(permissions))
        }
        if modified != defaults.modified ?? 0 { words.append("mtime=" + time(modified)) }
        return words
    }
}

/// What most entries have in common, so that only what differs stands on their own lines.
struct BuildfileDefaults {
    let user: UInt32
    let group: UInt32
    /// Of all but directories; nil where there is nothing else.
    let permissions: UInt32?
    let directoryPermissions: UInt32?
    /// Nil where most have none.
    let modified: UInt32?

    init(of entries: [BuildfileEntry]) {
        let written = entries.filter(\.isWritten)
        user = mostFrequent(written.lazy.map(\.user)) ?? 0
        group = mostFrequent(written.lazy.map(\.group)) ?? 0
        let isDirectory = { (entry: BuildfileEntry) in entry.form == .directory }
        permissions = mostFrequent(written.lazy.filter { !isDirectory($0) }.map(\.permissions))
        directoryPermissions = mostFrequent(written.lazy.filter(isDirectory).map(\.permissions))
        modified = mostFrequent(written.lazy.map(\.modified)).flatMap { $0 == 0 ? nil : $0 }
    }

    /// The attributes that all lines below them start from.
    var words: [String] {
        ["search=.", "prefix=\"\"", "-optional", "-autolink", "uid=\(user)", "gid=\(group)"]
            + [
                permissions.map { "perms=" + octal($0) },
                directoryPermissions.map { "dperms=" + octal($0) },
                modified.map { "mtime=" + time($0) },
            ].compactMap { $0 }
    }
}

/// The value that comes most often, and of several the least.
private func mostFrequent(_ values: some Sequence<UInt32>) -> UInt32? {
    let counts = values.reduce(into: [:]) { $0[$1, default: 0] &+= 1 } as [UInt32: Int]
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
}

private func octal(_ permissions: UInt32) -> String { "0" + String(permissions, radix: 8) }

/// `YYYY-MM-DD-HH:MM:SS`, UTC.
private func time(_ seconds: UInt32) -> String {
    func two(_ number: UInt32) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let (year, month, day) = date(seconds / 86400)
    let clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(two)
    return "\(year)-\(two(month))-\(two(day))-" + clock.joined(separator: ":")
}

/// The date so many days after 1970-01-01, by years that begin in March: a leap day ends one.
private func date(_ days: UInt32) -> (year: UInt32, month: UInt32, day: UInt32) {
    let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let month = march < 10 ? march + 3 : march - 9
    return (
        400 * era + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1
    )
}

internal import Control
internal import Format
internal import Glibc
internal import IFSFS
internal import ToolSupport

/// The changes of an image that are in no image yet: a mount makes them, or one has left them.
enum Edits {
    case mounted(SavingNotice)
    case left(LeftEdits)

    /// Those that a path means: an image that changes go to, or where it is mounted for them. Throws
    /// where there are none.
    init(_ name: Argument, stage: Argument? = nil) throws(ToolError) {
        guard let found = Self.found(name, stage: stage) else {
            throw ToolError(
                "\(printable(name.bytes)): found no changes that wait, and no mount that makes any",
                cause: .noImage)
        }
        self = found
    }

    /// The same; nil where there are none.
    static func found(_ name: Argument, stage: Argument? = nil) -> Edits? {
        let path = AbsolutePath.real(name)?.bytes ?? AbsolutePath.lexical(name).bytes
        if let notice = SavingNotice(of: path) { return .mounted(notice) }
        if let notice = SavingNotice.all().first(where: { $0.status.mountPoint == path }) {
            return .mounted(notice)
        }
        return LeftEdits(for: path, in: stage.map { AbsolutePath.lexical($0).bytes })
            .map(Edits.left)
    }

    /// One line for `ifsctl status`.
    var line: String {
        switch self {
        case .mounted(let notice):
            let status = notice.status
            let state =
                status.percent.map { "saving, \($0) %" }
                ?? (status.hasEdits ? "changes wait" : "no changes")
            return "\(printable(status.target))  mounted at \(printable(status.mountPoint))"
                + "  process \(notice.server.process)  \(state)"
        case .left(let edits):
            return "\(printable(edits.target))  changes left in \(printable(edits.stage))"
        }
    }
}

/// Changes that a mount has left which ended without saving them.
struct LeftEdits {
    /// Where their image goes.
    let target: [UInt8]
    /// Where they are.
    let stage: [UInt8]

    /// Those for an image at `target`; nil where there are none.
    init?(for target: [UInt8], in stage: [UInt8]? = nil) {
        self.target = target
        self.stage = stage ?? ImageCommit.stagePath(of: target)
        guard StageOrigin(inStageAt: self.stage) != nil else { return nil }
    }

    /// All that wait in a directory.
    static func all(in directory: [UInt8]) -> [LeftEdits] {
        let ending = Array(".stage".utf8)
        return ImageCommit.stages(in: directory).compactMap { stage in
            let name = lastComponent(stage).dropFirst().dropLast(ending.count)
            return LeftEdits(for: parentPath(stage) + [UInt8(ascii: "/")] + name)
        }
    }

    /// Makes them an image; gives whether there was anything to make.
    func commit(
        isForced: Bool, progress: @escaping (UInt64, UInt64) -> Void
    ) throws(ToolError) -> Bool {
        let notes = Diagnostics(tool: "ifsctl")
        let image = try image { notes.say($0) }
        do throws(CommitError) {
            guard try image.resume() else { return false }
            return try image.commit.run(isLast: true, isForced: isForced, progress: progress)
                == .written
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    /// Throws them away.
    func discard() throws(ToolError) {
        do throws(CommitError) {
            try EditedImage.discardEdits(for: target, in: stage)
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    private func image(_ warn: @escaping @Sendable (String) -> Void) throws(ToolError)
        -> EditedImage
    {
        guard let origin = StageOrigin(inStageAt: stage) else {
            throw ToolError("\(printable(stage)): found no changes", .refused)
        }
        let settings = CommitSettings(origin.path, number: origin.number, target: target)
        return try EditedImage(opening: settings, stage: stage, warn: warn)
    }
}

extension EditedImage {
    /// Opens an image that is not mounted.
    convenience init(
        opening settings: CommitSettings, stage: [UInt8]? = nil,
        warn: @escaping @Sendable (String) -> Void
    ) throws(ToolError) {
        let open: @Sendable () throws(ToolError) -> OpenedImage = { () throws(ToolError) in
            let name = Argument(bytes: settings.source)
            let search = try ImageSearch(name)
            let image = try search.image(settings.number)
            do throws(FormatError) {
                return OpenedImage(
                    try IFS.ImageVolume(image), hasChanged: search.hasChanged,
                    wasWritten: search.wasWritten, report: {})
            } catch {
                throw ToolError(error, in: name)
            }
        }
        self.init(try open(), settings, stage: stage, warn: warn) { () throws(CommitError) in
            do throws(ToolError) {
                return try open()
            } catch {
                throw CommitError(error.description)
            }
        }
    }
}

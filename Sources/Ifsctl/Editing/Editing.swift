internal import Control
internal import Format
internal import Glibc
internal import IFSFS
internal import ToolSupport

/// What ifsctl does with changes that are in no image yet.
enum Editing {
    /// Prints a line for each image that changes wait for or that is mounted for them.
    static func status(_ names: [Argument]) -> Int32 {
        Inspection.run { output throws(ToolError) in
            guard !names.isEmpty else {
                for notice in SavingNotice.all() { output.line(Edits.mounted(notice).line) }
                list(in: Argument("."), output)
                return 0
            }
            for name in names {
                if let edits = Edits.found(name) {
                    output.line(edits.line)
                } else if isDirectory(name) {
                    list(in: name, output)
                } else {
                    guard AbsolutePath.real(name) != nil else {
                        throw ToolError("cannot find", name, errno: errno)
                    }
                    output.line("\(printable(name.bytes))  no changes")
                }
            }
            return 0
        }
    }

    private static func list(in directory: Argument, _ output: Output) {
        guard let path = AbsolutePath.real(directory)?.bytes else { return }
        for edits in LeftEdits.all(in: path) where SavingNotice(of: edits.target) == nil {
            output.line(Edits.left(edits).line)
        }
    }

    private static func isDirectory(_ name: Argument) -> Bool {
        var status = stat()
        return unsafe name.withCString { unsafe stat($0, &status) } == 0
            && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes changes an image; a mount goes on behind it.
    static func commit(_ name: Argument, stage: Argument?, isForced: Bool) -> Int32 {
        Inspection.run { _ throws(ToolError) in
            let meter = ProgressMeter("\(printable(name.bytes)): saving")
            defer { meter.finish() }
            switch try Edits(name, stage: stage) {
            case .mounted(let notice):
                try asking { () throws(ControlError) in
                    _ = try notice.server.commit(isForced: isForced) { meter.show($0, of: $1) }
                }
            case .left(let edits):
                _ = try edits.commit(isForced: isForced) { meter.show($0, of: $1) }
            }
            return 0
        }
    }

    /// Lays out anew what can move of an image, mounted or not.
    static func compact(_ name: Argument) -> Int32 {
        Inspection.run { _ throws(ToolError) in
            let meter = ProgressMeter("\(printable(name.bytes)): compacting")
            defer { meter.finish() }
            switch Edits.found(name) {
            case .mounted(let notice)?:
                try asking { () throws(ControlError) in
                    _ = try notice.server.compact { meter.show($0, of: $1) }
                }
            case .left(let edits)?:
                throw ToolError(
                    "\(printable(edits.stage)): found changes that are in no image yet;"
                        + " 'ifsctl recover' says what becomes of them", .refused)
            case nil:
                try compactFile(name) { meter.show($0, of: $1) }
            }
            return 0
        }
    }

    private static func compactFile(
        _ name: Argument, _ progress: @escaping (UInt64, UInt64) -> Void
    ) throws(ToolError) {
        let path = try AbsolutePath.resolved(name, .unreadable).bytes
        let notes = Diagnostics(tool: "ifsctl")
        let image = try EditedImage(opening: CommitSettings(path, number: 1)) { notes.say($0) }
        do throws(CommitError) {
            _ = try image.commit.compact(progress: progress)
        } catch {
            throw ToolError(error.description, .refused)
        }
    }

    /// Throws changes away: those that were left at once, those of a mount when it ends.
    static func discard(_ name: Argument, stage: Argument?) -> Int32 {
        Inspection.run { _ throws(ToolError) in
            switch try Edits(name, stage: stage) {
            case .mounted(let notice):
                try asking { () throws(ControlError) in try notice.server.discard() }
            case .left(let edits): try edits.discard()
            }
            return 0
        }
    }

    /// What becomes of changes that a mount has left.
    enum Recovery {
        case commit, discard
        case resume(at: Argument)
    }

    /// Does something with changes that a mount has left which is no more.
    static func recover(_ name: Argument, stage: Argument?, _ recovery: Recovery) -> Int32 {
        Inspection.run { _ throws(ToolError) in
            guard case .left(let edits) = try Edits(name, stage: stage) else {
                throw ToolError(
                    "\(printable(name.bytes)): found a mount that makes the changes,"
                        + " expected none; 'ifsctl commit' and 'ifsctl discard' ask it", .refused)
            }
            switch recovery {
            case .commit:
                let meter = ProgressMeter("\(printable(name.bytes)): saving")
                defer { meter.finish() }
                _ = try edits.commit(isForced: false) { meter.show($0, of: $1) }
            case .discard: try edits.discard()
            case .resume(let directory): try mount(edits, at: directory)
            }
            return 0
        }
    }

    /// Becomes mount.ifs.
    private static func mount(_ edits: LeftEdits, at directory: Argument) throws(ToolError) {
        guard let origin = StageOrigin(inStageAt: edits.stage) else { return }
        var options = Array("rw,recover=resume,image=\(origin.number)".utf8)
        if origin.path != edits.target { options += Array(",output=".utf8) + edits.target }
        if edits.stage != ImageCommit.stagePath(of: edits.target) {
            options += Array(",stagedir=".utf8) + edits.stage
        }
        let words = [
            Array("mount.ifs".utf8), Array("-o".utf8), options, origin.path, directory.bytes,
        ]
        var texts = unsafe words.map { unsafe strdup(cString($0)) }
        unsafe texts.append(nil)
        for program in ["mount.ifs", "/sbin/mount.ifs"] { unsafe execvp(program, texts) }
        throw ToolError("cannot run", Argument("mount.ifs"), errno: errno)
    }

    /// Waits until nobody saves or changes an image any more; 1 where changes are left then.
    static func wait(_ name: Argument, stage: Argument?) -> Int32 {
        Inspection.run { output throws(ToolError) in
            while case .mounted(let notice)? = Edits.found(name, stage: stage) {
                notice.server.waitForEnd()
                // The name of its socket goes with the process.
                usleep(10_000)
            }
            guard case .left(let edits)? = Edits.found(name, stage: stage) else { return 0 }
            output.line(Edits.left(edits).line)
            return 1
        }
    }

    private static func asking(
        _ body: () throws(ControlError) -> Void
    ) throws(ToolError) {
        do throws(ControlError) {
            try body()
        } catch {
            throw ToolError(error.description, .refused)
        }
    }
}

import Format
import ToolSupport

/// Everything about the images of a file, as JSON. The members and their meaning are documented in
/// dumpifs(1); members are added, never renamed.
struct Report {
    /// The JSON text, with a newline at its end.
    let text: String
    /// Whether nothing that was checked is bad, and every directory could be read to its end.
    let isSound: Bool

    init(
        _ file: FoundImages, findingSums: Bool, named name: String
    ) throws(ToolError) {
        var isSound = true
        var images: [JSON] = []
        let chosen = file.chosenImage.map { [$0] } ?? file.images
        if file.chosenImage == nil { _ = try file.chosen() }
        for found in chosen {
            let image = found.image
            let sums = findingSums ? image.checkSums() : []
            isSound =
                isSound && image.directory.broken == nil && !sums.contains { $0.word == "bad" }
            images.append(ImageReport(found, findingSums ? sums : nil).json)
        }
        let json = JSON.object([
            ("format", .string("dumpifs")), ("version", .number(1)), ("file", .string(name)),
            ("file_size", .of(file.byteCount)),
            ("wrapper", file.wrapper.map { .string($0.rawValue) } ?? .null),
            ("images", .array(images)),
        ])
        text = json.text() + "\n"
        self.isSound = isSound
    }
}

/// One image's part of the report.
private struct ImageReport {
    private let found: FoundImage
    private let image: IFS.Image
    private let sums: [IFS.SumCheck]?

    init(_ found: FoundImage, _ sums: [IFS.SumCheck]?) {
        self.found = found
        image = found.image
        self.sums = sums
    }

    var json: JSON {
        var members: [(String, JSON)] =
            [("number", .number(Int64(found.number)))] + image.facts
        members += [
            ("entries", .array(image.directory.entries.map(entry))),
            ("script", script),
            ("findings", .array(findings)),
        ]
        if let sums { members.append(("sums", .array(sums.map(sum)))) }
        if let home = found.home { members += home.facts }
        return .object(members)
    }

    private func entry(_ entry: IFS.Dirent) -> JSON {
        let path = Array(image.directory.path(of: entry))
        var members: [(String, JSON)] = [
            ("path", .text(path)), ("type", .string(entry.typeName)), ("ino", .of(entry.inode)),
            ("mode", .string("0" + String(entry.mode & 0o7777, radix: 8))),
            ("uid", .of(entry.user)), ("gid", .of(entry.group)), ("mtime", .of(entry.modified)),
            ("record_offset", .of(entry.recordOffset)), ("record_size", .of(entry.recordSize)),
        ]
        if String(validating: path, as: UTF8.self) == nil {
            members.append(("path_hex", .string(hexDigits(path))))
        }
        switch entry.kind {
        case .file(let offset, let size):
            members += [("offset", .of(offset)), ("size", .of(size))]
        case .symlink(_, let size):
            let target = image.directory.target(of: entry)
            members += [("target", .text(target)), ("sym_size", .of(size))]
            if String(validating: target, as: UTF8.self) == nil {
                members.append(("target_hex", .string(hexDigits(target))))
            }
        case .device(let device, let rawDevice):
            members += [("dev", .of(device)), ("rdev", .of(rawDevice))]
        case .directory, .unknown: break
        }
        if image.header.bootInodes.contains(entry.inode), entry.inode != 0 {
            members.append(
                (
                    "boot_arguments",
                    JSON.bootArguments { () throws(FormatError) in
                        try image.bootArguments(of: entry)
                    }
                ))
        }
        return .object(members)
    }

    private var script: JSON {
        guard let entry = image.script else { return .null }
        do throws(FormatError) {
            let script = IFS.Script(try image.scriptData())
            return .object([
                ("path", .text(image.directory.path(of: entry))),
                ("lines", .array(script.buildfileLines.map(JSON.string))),
                ("broken", script.broken.map { .string("\($0)") } ?? .null),
            ])
        } catch {
            return .object([("unreadable", .string("\(error)"))])
        }
    }

    private var findings: [JSON] {
        let directory = image.directory
        let errors = directory.skipped + (directory.broken.map { [$0] } ?? [])
        // A tree that may be partial is always made.
        let volume = try? IFS.ImageVolume(image, partial: true)
        return errors.map { .string("\($0)") }
            + (volume?.findings ?? []).map { .string("\($0)") }
    }

    private func sum(_ check: IFS.SumCheck) -> JSON {
        var members: [(String, JSON)] = [
            ("region", .string(check.region.rawValue)),
            ("method", .string(check.method.rawValue)), ("verdict", .string(check.word)),
        ]
        if case .bad(let stored, let computed) = check.verdict {
            members += [("stored", .string(stored)), ("computed", .string(computed))]
        } else if let stored = check.stored {
            members.append(("stored", .string(stored)))
        }
        return .object(members)
    }
}

extension IFS.Dirent {
    /// What the entry is, in words of the report.
    var typeName: String {
        switch mode & ModeType.mask {
        case ModeType.regular: "file"
        case ModeType.directory: "directory"
        case ModeType.symlink: "symlink"
        case ModeType.fifo: "fifo"
        case ModeType.character: "character device"
        case ModeType.block: "block device"
        case ModeType.socket: "socket"
        case ModeType.namedSpecial: "named special"
        default: "unknown"
        }
    }
}

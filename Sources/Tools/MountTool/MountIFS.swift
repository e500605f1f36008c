import Format
import FuseServer
import Glibc
import IFSFS
import ToolSupport

/// The mount.ifs command: an image and a directory in, a mounted tree out.
enum MountIFS {
    /// The exit status when a mount cannot be made, as mount(8) has it.
    static let failure: Int32 = 32

    static let table = OptionTable(
        tool: "mount.ifs",
        summary: "mount a QNX IFS image as a directory tree",
        usage: ["mount.ifs [-F] [-o OPTION[,OPTION]...] IMAGE DIRECTORY"],
        options: [
            .init("F", "foreground", "stay in the foreground"),
            .init(
                "o", nil, argument: "OPTION,...",
                words: .words(MountOptions.known.map { $0.name + ($0.value == nil ? "" : "=") }),
                "mount options, see below"),
            .init("d", nil, "print each request; stays in the foreground"),
            .init("f", nil, "fake: read the command line and mount nothing"),
            .init("s", nil, "ignore options that are not known"),
            .init("n", nil, "accepted for mount(8)"),
            .init("r", nil, "mount read-only"),
            .init("v", nil, "say what is mounted"),
        ],
        notes: [
            "mount options:\n"
                + MountOptions.known.map { option in
                    let name = option.name + (option.value.map { "=" + $0 } ?? "")
                    let pad = String(repeating: " ", count: max(1, 16 - name.count))
                    return "  \(name)\(pad)\(option.help)"
                }.joined(separator: "\n"),
            "umount DIRECTORY, or fusermount3 -u DIRECTORY as an ordinary user, ends the mount.",
        ])

    static func run(_ arguments: [Argument]) -> Int32 {
        Tool.run(table, arguments) { parsed, output, diagnostics throws(ToolError) in
            let options = try MountOptions(parsed.values("o"), sloppy: parsed.has("s"))
            guard parsed.operands.count == 2 else {
                throw ToolError(
                    "found \(parsed.operands.count) operands, expected IMAGE and DIRECTORY")
            }
            if parsed.has("f") { return 0 }
            let image = parsed.operands[0]
            let volume = try open(image, options)
            let mountPoint = try absolute(parsed.operands[1], expecting: .directory)
            if options.isWritable {
                diagnostics.say("\(printable(image.bytes)): mounted read-only")
            }
            let count = volume.findings.count + volume.image.directory.skipped.count
            if count > 0 {
                diagnostics.say(
                    "\(printable(image.bytes)): \(count == 1 ? "1 entry is" : "\(count) entries are")"
                        + " left out or doubtful; dumpifs names \(count == 1 ? "it" : "them")")
            }
            if parsed.has("v") {
                output.line("\(printable(image.bytes)) on \(printable(mountPoint.bytes))")
                try output.finish()
            }
            var settings = MountSettings(
                mountPoint: mountPoint.bytes,
                source: image == "-"
                    ? image.bytes : try absolute(image, expecting: .anything).bytes)
            settings.allowsOthers = options.allowsOthers
            settings.kernelOptions = options.kernelOptions
            settings.isForeground = parsed.has("foreground") || options.isForeground
            settings.isDebugging = parsed.has("d")
            try serve(volume, options, settings, diagnostics, printable(image.bytes))
            return 0
        }
    }

    private static func open(
        _ name: Argument, _ options: MountOptions
    ) throws(ToolError) -> IFS.ImageVolume {
        let limit = Int(clamping: options.cacheLimit)
        do throws(ToolError) {
            let image = try ImageSearch(
                name, from: options.offset, IFS.Image.Options(cacheLimit: limit)
            ).image(options.image)
            return try volume(image, name)
        } catch {
            throw ToolError(error.description, status: failure)
        }
    }

    private static func volume(
        _ image: IFS.Image, _ name: Argument
    ) throws(ToolError) -> IFS.ImageVolume {
        do throws(FormatError) {
            return try IFS.ImageVolume(image)
        } catch {
            throw ToolError(error, in: name)
        }
    }

    private static func serve(
        _ volume: IFS.ImageVolume, _ options: MountOptions, _ settings: MountSettings,
        _ diagnostics: Diagnostics, _ name: String
    ) throws(ToolError) {
        let fileSystem = VolumeFileSystem(volume, options.ownership)
        do throws(MountError) {
            let isForeground = settings.isForeground || settings.isDebugging
            try Session.run(fileSystem, settings) { message in
                let line = "\(name): \(message)"
                if isForeground { diagnostics.say(line) } else { diagnostics.log(line) }
            }
        } catch {
            throw ToolError(error.description, status: failure)
        }
    }

    private enum Expected {
        case anything
        case directory
    }

    /// The path from the root on, links resolved: what is in the background has another directory.
    private static func absolute(
        _ path: Argument, expecting expected: Expected
    ) throws(ToolError) -> Argument {
        guard let resolved = unsafe path.withCString({ unsafe realpath($0, nil) }) else {
            throw ToolError("cannot find", path, errno: errno, status: failure)
        }
        defer { unsafe free(resolved) }
        var status = stat()
        if expected == .directory, unsafe stat(resolved, &status) == 0,
            status.st_mode & S_IFMT != S_IFDIR
        {
            throw ToolError("\(printable(path.bytes)): expected a directory", status: failure)
        }
        let text = unsafe UnsafeBufferPointer(start: resolved, count: strlen(resolved))
        return Argument(bytes: unsafe text.map(UInt8.init(bitPattern:)))
    }
}

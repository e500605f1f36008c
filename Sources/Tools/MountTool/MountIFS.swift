import Format
import FuseServer
import IFSFS
import ToolSupport

/// The mount.ifs command: an image and a directory in, a mounted tree out.
enum MountIFS {
    static let table = OptionTable(
        tool: "mount.ifs",
        summary: "mount a QNX image or disk as a directory tree",
        usage: [
            "mount.ifs [-F] [-o OPTION[,OPTION]...] IMAGE DIRECTORY",
            "mount.ifs [-F] -o rw,output=IMAGE[,OPTION]... SOURCE-DIRECTORY DIRECTORY",
        ],
        options: [
            .init("F", "foreground", "stay in the foreground"),
            .init(
                "o", nil, argument: "OPTION,...",
                words: .list(MountOptions.known.map { $0.name + ($0.value == nil ? "" : "=") }),
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
            var options = try MountOptions(parsed.values("o"), sloppy: parsed.has("s"))
            guard parsed.operands.count == 2 else {
                throw ToolError(
                    "found \(parsed.operands.count) operands, expected IMAGE and DIRECTORY")
            }
            if parsed.has("f") { return 0 }
            let name = parsed.operands[0]
            if let directory = try MountedDirectory(name, options) {
                let point = try MountPoint(parsed.operands[1]) { diagnostics.say($0) }
                try directory.requireApart(from: point)
                let settings = try settings(parsed, options, point, output)
                try serve(directory, options, settings, diagnostics)
                return 0
            }
            if !options.isWritable { diagnostics.sayIfSaved(name) }
            let search = try MountedImage.search(name, options)
            if let disk = try MountedDisk(name, search, options) {
                let point = try MountPoint(parsed.operands[1]) { diagnostics.say($0) }
                if options.isWritable {
                    diagnostics.say(
                        "\(disk.name): mounted read-only: disk images cannot be changed yet")
                }
                for warning in disk.warnings { diagnostics.say(warning) }
                let settings = try settings(parsed, options, point, output)
                try show(
                    disk.tree, of: disk.name, options, settings, diagnostics, disk.hasChanged)
                return 0
            }
            let image = try MountedImage(name, search, options)
            let point = try MountPoint(parsed.operands[1]) { diagnostics.say($0) }
            if options.isWritable, let obstacle = WritableMount.obstacle(image, options) {
                diagnostics.say("\(printable(name.bytes)): mounted read-only: \(obstacle)")
                options.isWritable = false
            }
            if let warning = image.warning { diagnostics.say(warning) }
            let settings = try settings(parsed, options, point, output)
            try serve(image, options, settings, diagnostics)
            return 0
        }
    }

    /// What the command line says of the mount itself; with `-v` it is said what is mounted where.
    private static func settings(
        _ parsed: OptionTable.Parsed, _ options: MountOptions, _ mountPoint: MountPoint,
        _ output: Output
    ) throws(ToolError) -> MountSettings {
        let name = parsed.operands[0]
        if parsed.has("v") {
            output.line("\(printable(name.bytes)) on \(printable(mountPoint.path))")
            try output.finish()
        }
        var settings = MountSettings(
            mountPoint: mountPoint.path,
            source: name == "-" ? name.bytes : try AbsolutePath.resolved(name, .unreadable).bytes)
        settings.allowsOthers = options.allowsOthers
        settings.kernelOptions = options.kernelOptions
        settings.idleTimeout = options.idleTimeout
        settings.unmountsOnDeath = options.unmountsOnDeath
        settings.isForeground = parsed.has("foreground") || options.isForeground
        settings.isDebugging = parsed.has("d")
        return settings
    }

    // MARK: Serving

    /// Serves a tree that nobody changes.
    private static func show(
        _ tree: any Volume, of name: String, _ options: MountOptions, _ settings: MountSettings,
        _ diagnostics: Diagnostics, _ hasChanged: @escaping @Sendable () -> Bool
    ) throws(ToolError) {
        let report = report(of: name, settings, diagnostics)
        let watch = ImageWatch(hasChanged, report: { report(change) })
        let fileSystem = VolumeFileSystem(
            tree, options.ownership, listsExtendedAttributes: options.listsAttributes, watch: watch)
        try run(fileSystem, settings, report)
    }

    private static let change =
        "the file has changed since it was mounted; nothing is read from it any more"

    private static func serve(
        _ image: MountedImage, _ options: MountOptions, _ settings: MountSettings,
        _ diagnostics: Diagnostics
    ) throws(ToolError) {
        guard options.isWritable else {
            return try show(
                image.tree, of: image.name, options, settings, diagnostics, image.hasChanged)
        }
        let report = report(of: image.name, settings, diagnostics)
        let reportChange: @Sendable () -> Void = { report(change) }
        var settings = settings
        settings.isWritable = true
        var image = image
        if try WritableMount.commitsLeftEdits(image, options, warn: report), let path = image.path {
            image = try MountedImage(Argument(bytes: path), options)
        }
        let mount = try WritableMount(
            image, at: settings.mountPoint, options, reportChange: reportChange, warn: report)
        settings.started = mount.listen
        try run(mount.image.fileSystem, settings, report)
        try save(settings, diagnostics, mount.save)
    }

    private static func serve(
        _ directory: MountedDirectory, _ options: MountOptions, _ settings: MountSettings,
        _ diagnostics: Diagnostics
    ) throws(ToolError) {
        let report = report(of: directory.name, settings, diagnostics)
        let mount = try DirectoryMount(
            directory, at: settings.mountPoint, options, report: report)
        var settings = settings
        settings.isWritable = true
        settings.started = mount.listen
        try run(mount.fileSystem, settings, report)
        try save(settings, diagnostics, mount.save)
    }

    /// Tells lines about what is mounted: on standard error as long as somebody may read them there.
    private static func report(
        of name: String, _ settings: MountSettings, _ diagnostics: Diagnostics
    ) -> @Sendable (String) -> Void {
        let isForeground = settings.isForeground || settings.isDebugging
        return { message in
            let line = "\(name): \(message)"
            if isForeground { diagnostics.say(line) } else { diagnostics.log(line) }
        }
    }

    private static func save(
        _ settings: MountSettings, _ diagnostics: Diagnostics, _ save: () throws(ToolError) -> Void
    ) throws(ToolError) {
        do throws(ToolError) {
            try save()
        } catch {
            if !settings.isForeground, !settings.isDebugging { diagnostics.log(error.description) }
            throw error
        }
    }

    private static func run(
        _ fileSystem: any FileSystem, _ settings: MountSettings,
        _ report: @escaping @Sendable (String) -> Void
    ) throws(ToolError) {
        do throws(MountError) {
            try Session.run(fileSystem, settings, report: report)
        } catch {
            throw ToolError(error.description, .refused)
        }
    }
}

import Format
public import ToolSupport

/// The dumpifs command: what its options ask for, done with one image or all of a file.
public enum Dumpifs {
    /// The options, the vendor's letters first.
    public static let table = OptionTable(
        tool: "dumpifs",
        summary: "list, check and extract the contents of QNX IFS images",
        usage: [
            "dumpifs [-bmvxz] [-d DIR] [-f PATH]... [-u FILE] [OPTION]... IMAGE [NAME...]",
            "dumpifs --json [--verify] IMAGE", "dumpifs --buildfile IMAGE",
            "dumpifs --plan DIR IMAGE", "dumpifs --verify IMAGE",
        ],
        options: [
            .init("b", nil, "extract to base names, without directories"),
            .init(
                "d", nil, argument: "DIR", words: .directories,
                "extract into DIR, made if it is missing"),
            .init(
                "f", nil, argument: "PATH",
                "extract only this path (with -b, this base name); repeatable"),
            .init("m", nil, "print the MD5 of each file"),
            .init(
                "u", nil, argument: "FILE", words: .files,
                "write the image to FILE as it is when unpacked"),
            .init("v", nil, "say more; -vv adds scripts and ELF headers, -vvv their fields"),
            .init("x", nil, "extract"),
            .init("z", nil, "accept nonzero reserved fields (always so here)"),
            .init(nil, "image", argument: "N", "the Nth image of the file, from 1"),
            .init(nil, "offset", argument: "BYTES", "search from this byte of the file on"),
            .init(nil, "json", "print everything about every image as JSON"),
            .init(
                nil, "buildfile", "print a buildfile of the tree, for mkifs and what -x extracts"),
            .init(
                nil, "plan", argument: "DIR", words: .directories,
                "write the image's plan and its parts into DIR, for mkifs --plan"),
            .init(nil, "verify", "check every sum and digest; exit 1 if one is bad"),
            .init(nil, "preserve", "extract setuid and setgid bits, and as root devices"),
            .init(nil, "jobs", argument: "N", "extract with N threads (default: one a processor)"),
        ],
        notes: ["IMAGE may be - for standard input."])

    /// Runs the command with the words behind its name, and returns its exit status.
    public static func run(_ arguments: [Argument]) -> Int32 {
        Tool.run(table, arguments) { parsed, output, diagnostics throws(ToolError) in
            try Command(parsed, output, diagnostics).run()
        }
    }
}

/// One run of the command.
struct Command {
    private let options: OptionTable.Parsed
    private let output: Output
    private let diagnostics: Diagnostics
    private let operand: Argument
    private let names: [[UInt8]]
    /// Threads to extract with; 0 for one a processor.
    private let jobs: Int

    init(
        _ options: OptionTable.Parsed, _ output: Output, _ diagnostics: Diagnostics
    ) throws(ToolError) {
        guard let operand = options.operands.first else {
            throw ToolError("no image named; 'dumpifs --help' shows the usage")
        }
        self.options = options
        self.output = output
        self.diagnostics = diagnostics
        self.operand = operand
        names = options.operands.dropFirst().map(\.bytes)
        try Self.refuseClashes(options)
        jobs = Int(clamping: try options.number("jobs", atLeast: 1) ?? 0)
    }

    /// Throws where one of two options asks for a report, and the other for something else.
    private static func refuseClashes(_ options: OptionTable.Parsed) throws(ToolError) {
        let work = ["x", "d", "f", "u", "m", "plan"]
        for (report, others) in [("json", work), ("buildfile", work + ["json", "verify"])] {
            guard options.has(report), let other = others.first(where: options.has) else {
                continue
            }
            let spelling = other.count > 1 ? "--\(other)" : "-\(other)"
            throw ToolError("options '--\(report)' and '\(spelling)' do not go together")
        }
    }

    private var isExtracting: Bool { ["x", "d", "f"].contains(where: options.has) }

    func run() throws(ToolError) -> Int32 {
        diagnostics.sayIfSaved(operand)
        let file = try FoundImages(operand, options)
        for warning in file.warnings { diagnostics.say(warning) }
        if options.has("json") {
            let report = try Report(
                file, findingSums: options.has("verify"), named: printable(operand.bytes))
            output.write(report.text)
            return report.isSound ? 0 : 1
        }
        let found = try file.chosen()
        for other in file.images where other.number != found.number {
            diagnostics.say(
                "\(printable(file.name(of: other).bytes)): another image at"
                    + " \(hex(other.image.headerOffset)) (--image \(other.number))")
        }
        let (chosen, name) = (found.image, file.name(of: found))
        warn(about: found, name)
        var isGood = chosen.directory.broken == nil && chosen.directory.skipped.isEmpty
        if options.has("buildfile") { return try printBuildfile(found, file) && isGood ? 0 : 1 }
        if options.has("verify") { isGood = verify(file) && isGood }
        if let target = options.value("u") {
            // All that the listing counts as the first image's prefix, loaded or not.
            let isFirst = file.isFirst(found) && chosen.startup != nil
            try unpack(chosen, name, from: isFirst ? 0 : nil, to: target)
        }
        if let target = options.value("plan") {
            try PlanFolder.write(planOf: found, in: file, named: name, to: target)
        }
        if isExtracting { isGood = try extract(chosen, name) && isGood }
        let verbosity = options.count("v")
        let isQuiet =
            isExtracting || ["m", "verify", "u", "plan"].contains(where: options.has)
        if !isQuiet || options.has("m") || verbosity > 1 {
            isGood =
                try list(chosen, name, showsStructure: !isQuiet || verbosity > 1) && isGood
        }
        return isGood ? 0 : 1
    }

    // MARK: What is odd

    private func warn(about found: FoundImage, _ name: Argument) {
        let (image, directory) = (found.image, found.image.directory)
        if image.missingByteCount > 0 {
            let isInBytes = found.home != nil && found.home?.path == nil
            diagnostics.say(
                "\(printable(name.bytes)): \(image.missingByteCount) bytes of the image are"
                    + " missing: its headers promise \(hex(image.end)),"
                    + " the \(isInBytes ? "partition" : "file") ends at"
                    + " \(hex(image.file.byteCount))")
        }
        for error in directory.skipped + (directory.broken.map { [$0] } ?? []) {
            diagnostics.say(ToolError(error, in: name).description)
        }
        guard let volume = try? IFS.ImageVolume(image, partial: true) else { return }
        for finding in volume.findings {
            diagnostics.say("\(printable(name.bytes)): \(finding)")
        }
    }

    // MARK: What was asked

    private func list(
        _ image: IFS.Image, _ name: Argument, showsStructure: Bool
    ) throws(ToolError) -> Bool {
        var wanted = Listing.Options()
        wanted.verbosity = options.count("v")
        wanted.digests = options.has("m")
        wanted.showsStructure = showsStructure
        wanted.names = names
        do throws(FormatError) {
            var listing = Listing(image, wanted, to: output)
            try listing.print()
            return listing.isComplete
        } catch {
            throw ToolError(error, in: name)
        }
    }

    private func printBuildfile(
        _ found: FoundImage, _ file: FoundImages
    ) throws(ToolError) -> Bool {
        let name = printable(file.name(of: found).bytes)
        let number = found.number
        let buildfile: Buildfile
        do throws(FormatError) {
            buildfile = try Buildfile(found.image, to: BuildfilePage(output))
        } catch {
            throw ToolError(error, in: file.name(of: found))
        }
        for warning in buildfile.warnings { diagnostics.say("\(name): \(warning)") }
        let place = file.images.count > 1 ? "image \(number) of \(file.images.count) in " : ""
        buildfile.print(place + name, number: number)
        return buildfile.isComplete
    }

    private func verify(_ file: FoundImages) -> Bool {
        var isGood = true
        for found in options.has("image") ? [file.chosenImage].compactMap({ $0 }) : file.images {
            let lead = file.images.count > 1 ? "image \(found.number): " : ""
            for check in found.image.checkSums() {
                var line = "\(lead)\(check.region.rawValue) \(check.method.rawValue): \(check.word)"
                if check.verdict == .good, let stored = check.stored { line += " (\(stored))" }
                if case .bad(let stored, let computed) = check.verdict {
                    line += ": stored \(stored), the bytes give \(computed)"
                    isGood = false
                }
                output.line(line)
            }
        }
        return isGood
    }

    private func unpack(
        _ image: IFS.Image, _ name: Argument, from origin: UInt64?, to target: Argument
    ) throws(ToolError) {
        let writer = try NewFile(target)
        do throws(FormatError) {
            try image.unpacked(from: origin) { piece throws(FormatError) in writer.write(piece) }
        } catch {
            throw ToolError(error, in: name)
        }
        try writer.finish()
    }

    private func extract(_ image: IFS.Image, _ name: Argument) throws(ToolError) -> Bool {
        var wanted = Extractor.Options()
        wanted.flattens = options.has("b")
        wanted.preserves = options.has("preserve")
        wanted.paths = options.values("f").map(\.bytes)
        wanted.names = names
        wanted.tells = options.has("v")
        wanted.jobs = jobs
        let extractor = try Extractor(
            image, into: options.value("d") ?? ".", wanted, name, diagnostics)
        let extracted = try extractor.run()
        if options.has("v") {
            for path in extracted.paths { output.line("Extracted \(printable(path))") }
        }
        return extracted.isComplete
    }
}

import Format
import Glibc
import Mkifs
import ToolSupport

/// One run of the command.
struct Command {
    let options: OptionTable.Parsed
    let output: Output
    let diagnostics: ToolSupport.Diagnostics
    let operands: Operands
    let environment: BuildEnvironment
    /// The release whose tool is followed.
    let release: Release

    init(
        _ options: OptionTable.Parsed, _ output: Output, _ diagnostics: ToolSupport.Diagnostics
    ) throws(ToolError) {
        self.options = options
        self.output = output
        self.diagnostics = diagnostics
        let environment = BuildEnvironment.ofProcess()
        self.environment = environment
        let name = options.value("profile")?.text
        release = try Self.told { () throws(MkifsError) in try environment.release(named: name) }
        operands = try Operands(options.operands, release)
    }

    func run() throws(ToolError) -> Int32 {
        let build = try buildOptions()
        let isTelling = options.count("v") > 2
        let toolbox = Toolbox(environment: environment.strings) { [diagnostics] command in
            if isTelling { diagnostics.write("Execute: \(printable(command))") }
        }
        // Not kept alive by it: the toolbox cleans up when it goes.
        Interruption.watch { [weak toolbox] end in toolbox?.abandon(end) }
        var work = Build(build, toolbox)
        try readPatches(for: &work)
        guard let plan = try plan(of: &work) else { return 0 }
        if options.has("print-plan") { return try printPlan(plan) }
        let image = try layout(plan, work)
        try requireOtherOutput(than: plan, work.resolver.dependencies)
        if options.has("v") { Listing(diagnostics, options.count("v")).print(image) }
        try write(image, plan, toolbox)
        if let path = options.value("depfile") {
            let own = [operands.buildfile, options.value("p")].compactMap { $0 }
            let files = options.has("plan") ? plan.hostFiles : work.resolver.dependencies
            try DependencyFile.write(
                to: path, image: operands.image,
                own.filter { $0.text != "-" }.map(\.bytes) + files)
        }
        return 0
    }

    // MARK: From text to plan

    /// The plan; nil where only a check was asked for.
    private func plan(of work: inout Build) throws(ToolError) -> Plan? {
        for (index, line) in options.values("l").enumerated() {
            work.resolver.add(SourceText(name: "-l", bytes: line.bytes, firstLine: index + 1))
        }
        if options.has("plan") {
            return try storedPlan(text(operands.buildfile ?? operands.directory ?? "-"))
        }
        if let buildfile = operands.buildfile { work.resolver.add(try text(buildfile)) }
        if let directory = operands.directory {
            work.resolver.add(directory: directory.bytes)
        }
        let plan: Plan?
        do throws(MkifsError) {
            plan = try work.plan()
        } catch {
            say(work.resolver)
            if case .buildfile = error {
                throw ToolError(counted(work.resolver.diagnostics.count(of: .error), "error"))
            }
            throw ToolError(error.description)
        }
        say(work.resolver)
        guard options.has("check") else { return plan }
        diagnostics.say(counted(work.resolver.missingCount, "host file") + " missing")
        return nil
    }

    private func layout(_ plan: Plan, _ work: Build) throws(ToolError) -> LaidOutImage {
        do throws(MkifsError) {
            return try work.layout(plan)
        } catch {
            guard case .buildfile(let errors, _) = error else {
                throw ToolError(error.description)
            }
            for one in errors { diagnostics.write(work.resolver.rendered(one)) }
            throw ToolError(counted(errors.count, "error"))
        }
    }

    private func counted(_ count: Int, _ name: String) -> String {
        "\(count) \(name)\(count == 1 ? "" : "s")"
    }

    private func say(_ resolver: Resolver) {
        for one in resolver.diagnostics.kept { diagnostics.write(resolver.rendered(one)) }
    }

    private func readPatches(for work: inout Build) throws(ToolError) {
        guard let path = options.value("p") else { return }
        work.resolver.add(patches: try text(path))
    }

    private func text(_ operand: Argument) throws(ToolError) -> SourceText {
        let source = try InputFile.open(operand)
        do throws(FormatError) {
            let name = operand.text == "-" ? "standard input" : printable(operand.bytes)
            return SourceText(
                name: name, bytes: try source.bytes(source.byteCount, at: 0, "buildfile"))
        } catch {
            throw ToolError(error, in: operand)
        }
    }

    // MARK: From plan to file

    private func write(
        _ image: LaidOutImage, _ plan: Plan, _ toolbox: Toolbox
    ) throws(ToolError) {
        let file = try NewFile(operands.image, staged: true)
        var sink = ProgressSink(file, total: image.byteCount)
        let result = Result { () throws(MkifsError) in try image.write(to: &sink) }
        sink.finish()
        _ = try Self.told { () throws(MkifsError) in try result.get() }
        if let filter = plan.filter, let path = file.temporary {
            try Self.told { () throws(MkifsError) in
                try toolbox.run(filter, on: path.bytes, headerOffset: image.headerOffset)
            }
        }
        try file.finish()
    }

    static func told<Result>(
        _ body: () throws(MkifsError) -> Result
    ) throws(ToolError) -> Result {
        do throws(MkifsError) {
            return try body()
        } catch {
            throw ToolError(error.description)
        }
    }
}

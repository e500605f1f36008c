internal import Format
package import Mkifs

/// Builds of images without a host: no file is looked for outside, and no program run.
package enum Builds {
    /// Files that buildfiles find, whatever folder they look in.
    package typealias Files = @Sendable (_ name: [UInt8]) -> [UInt8]?

    /// The longest image that is written.
    private static let writeLimit: UInt64 = 1 << 18

    /// Reads a buildfile and goes as far as its errors allow: to the plan, to the layout, to bytes.
    package static func build(
        _ text: [UInt8], patches: [UInt8]? = nil, _ options: BuildOptions, _ files: @escaping Files
    ) {
        var options = options
        options.files = .provided { path in
            files(Array(path.split(separator: UInt8(ascii: "/")).last ?? []))
        }
        var build = Build(options, Toolbox(environment: []))
        let source = SourceText(name: "fuzz.build", bytes: text)
        build.resolver.add(source)
        if let patches {
            build.resolver.add(patches: SourceText(name: "fuzz.patch", bytes: patches))
        }
        let plan = attempt { () throws(MkifsError) in try build.plan() }
        check(build.resolver.diagnostics, build.resolver.rendered)
        guard let plan else { return }
        precondition(!build.resolver.diagnostics.hasErrors, "a plan in spite of errors")
        lay(plan.withoutCommands, build)
    }

    /// Reads the text of a plan, and goes on from there. What it gives for a plan is read as the same.
    package static func build(plan text: [UInt8]) {
        var diagnostics = Diagnostics()
        let source = SourceText(name: "fuzz.plan", bytes: text)
        let plan = Plan(parsing: source, checkingFiles: false, &diagnostics)
        check(diagnostics, { $0.rendered(from: source) })
        guard let plan else { return precondition(diagnostics.hasErrors, "no plan and no error") }
        let options = BuildOptions(plan.release)
        if let first = attempt({ () throws(MkifsError) in try plan.text() }) {
            var diagnostics = Diagnostics()
            let source = SourceText(name: "again.plan", bytes: first)
            guard let again = Plan(parsing: source, checkingFiles: false, &diagnostics) else {
                preconditionFailure("a plan's own text cannot be read")
            }
            let second = attempt { () throws(MkifsError) in try again.text() }
            precondition(second == first, "a plan that reads as another")
        }
        lay(plan.withoutCommands, Build(options, Toolbox(environment: [])))
    }

    private static func lay(_ plan: Plan, _ build: Build) {
        guard let image = attempt({ () throws(MkifsError) in try build.layout(plan) }),
            image.byteCount <= writeLimit
        else { return }
        var sink = MemorySink()
        guard let written = attempt({ () throws(MkifsError) in try image.write(to: &sink) }) else {
            preconditionFailure("an image that was laid out and cannot be written")
        }
        precondition(written.byteCount == UInt64(sink.bytes.count), "an image of another length")
        if plan.isBuilt { check(sink.bytes, plan) }
    }

    /// An image that nothing boots is read as what it was made from.
    private static func check(_ bytes: [UInt8], _ plan: Plan) {
        var scanner = IFS.Scanner(MemorySource(bytes), IFS.Image.Options(cacheLimit: 1 << 20))
        guard let image = Checks.attempt({ () throws(FormatError) in try scanner.next() }) ?? nil
        else { preconditionFailure("no image in what was written") }
        let directory = image.directory
        precondition(directory.broken == nil && directory.skipped.isEmpty, "a broken directory")
        let paths = Set(directory.entries.map { Array(directory.path(of: $0)) })
        precondition(plan.entries.allSatisfy { paths.contains($0.path) }, "a path that is lost")
        precondition(directory.entries.count == plan.entries.count + 1, "an entry that is lost")
        Checks.examine(image)
    }

    private static func check(_ diagnostics: Diagnostics, _ rendered: (Diagnostic) -> String) {
        let kept = diagnostics.kept
        precondition(kept.count <= 2 * Diagnostics.limit)
        for one in kept {
            precondition(one.mark.line >= 1 && one.mark.column >= 1, "a place that is none")
            precondition(!one.description.utf8.contains(10), "a message of several lines")
            keep(rendered(one))
        }
    }

    private static func attempt<Result>(_ body: () throws(MkifsError) -> Result) -> Result? {
        do throws(MkifsError) {
            return try body()
        } catch {
            precondition(!error.description.isEmpty)
            keep(error.description)
            return nil
        }
    }
}

extension Plan {
    /// Whether it comes from a buildfile, and nothing boots its image: what is written is then known.
    fileprivate var isBuilt: Bool {
        startup == nil && remains.isEmpty && header.directoryOffset == nil
            && entries.allSatisfy { if case .fixed = $0.place { false } else { true } }
    }

    /// The plan with every program as it is: none is linked, nothing filtered, no file opened.
    fileprivate var withoutCommands: Plan {
        var plan = self
        plan.filter = nil
        plan.prefix = plan.prefix.inMemory
        plan.tail = plan.tail.inMemory
        for index in plan.remains.indices {
            plan.remains[index].content = plan.remains[index].content.inMemory
        }
        switch plan.startup {
        case .program(var startup)?:
            startup.link = nil
            startup.content = startup.content.inMemory
            plan.startup = .program(startup)
        case .stored(let header, let content)?: plan.startup = .stored(header, content.inMemory)
        case nil: break
        }
        for index in plan.entries.indices {
            switch plan.entries[index].kind {
            case .file(let content): plan.entries[index].kind = .file(content.inMemory)
            case .program(var program):
                program.link = nil
                program.content = program.content.inMemory
                plan.entries[index].kind = .program(program)
            case .hardLink, .directory, .symlink, .device, .extent: break
            }
        }
        return plan
    }
}

extension Content {
    /// Itself, or for a file of the host its name.
    fileprivate var inMemory: Content {
        switch self {
        case .bytes, .source: self
        case .file(let file): .bytes(file.path)
        case .filtered(let file, let command): .bytes(file.path + command)
        }
    }
}

import Format
import Mkifs

/// Script sections, compiled one after the other, and what there was to say about them.
struct Compilation {
    var commands: [IFS.Script.Command] = []
    var diagnostics = Diagnostics()
    var globals = GlobalVariables()
    var compiler = ScriptCompiler()
    private var scope = AttributeScope(.v64)
    private let environment: VariableLookup

    /// No section yet.
    init(environment: @escaping VariableLookup) { self.environment = environment }

    /// Sections as they stand in a file of their own.
    init(_ texts: String..., environment: [String: String] = [:]) {
        self.init(environment: variables(environment))
        for text in texts { add(SourceText(name: "s", bytes: Array(text.utf8))) }
    }

    /// All script sections of a buildfile, and what there was to say about them alone.
    init(buildfile bytes: [UInt8]) {
        self.init(environment: noVariables)
        let source = SourceText(name: "a.build", bytes: bytes)
        var others = Diagnostics()
        for line in BuildFile(parsing: source, &others).lines {
            let attributes = scope.enter(line, noVariables, &others)
            guard attributes.isScript, let inline = line.inline else { continue }
            add(inline.text)
        }
    }

    mutating func add(_ text: SourceText) {
        var section = AttributeScope.Section(of: scope.defaults)
        commands += compiler.compile(
            text, scope: &scope, section: &section, globals: &globals, environment: environment,
            diagnostics: &diagnostics)
    }

    /// The commands as dumpifs shows them.
    var lines: [String] { IFS.Script(compiler.file).listingLines }

    /// All diagnostics, a line each.
    var messages: [String] { diagnostics.kept.map(\.description) }
}

import Format
import Mkifs

/// What `dumpifs --buildfile` printed, and what mkifs reads in it.
struct Printed {
    let outcome: Child.Outcome
    /// The lines that make entries, and the attributes in force there.
    private(set) var entries: [(line: BuildFile.Line, attributes: EntryAttributes)] = []
    let image: Mkifs.ImageAttributes
    /// What mkifs has to say, scripts left aside.
    let messages: [String]

    /// The lines that are comments.
    var comments: [String] { outcome.lines.filter { $0.hasPrefix("#") } }

    init(_ bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "x.ifs")
        self.init(try dumpifs(["--buildfile", "x.ifs"], in: folder))
    }

    init(reading text: [UInt8]) {
        self.init(Child.Outcome(end: .exit(0), output: text, errors: [], seconds: 0))
    }

    private init(_ outcome: Child.Outcome) {
        self.outcome = outcome
        var diagnostics = Mkifs.Diagnostics()
        let source = SourceText(name: "x.build", bytes: outcome.output)
        var scope = AttributeScope(.v70)
        for line in BuildFile(parsing: source, &diagnostics).lines {
            let attributes = scope.enter(line, { _ in nil }, &diagnostics)
            if !line.words.isEmpty { entries.append((line, attributes)) }
        }
        image = scope.image
        messages = diagnostics.kept.map(\.description)
    }
}

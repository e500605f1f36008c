internal import Format

extension Plan {
    /// Reads the text of a plan. Paths of the host that are not absolute start in `directory`, that of
    /// the plan's file; each file is looked at, and must have the size that the plan gives it. Nil
    /// where something is wrong, which `diagnostics` then says.
    public init?(
        parsing source: SourceText, relativeTo directory: [UInt8] = [],
        checkingFiles: Bool = true, _ diagnostics: inout Diagnostics
    ) {
        var reader = PlanReader(source, directory, checkingFiles, diagnostics)
        let plan = reader.plan()
        diagnostics = reader.diagnostics
        guard let plan else { return nil }
        self = plan
    }
}

/// Makes a plan of its text.
struct PlanReader {
    let source: SourceText
    let directory: [UInt8]
    let checksFiles: Bool
    var diagnostics: Diagnostics

    /// The name of the first line, and its version.
    static let signature = "ifsfs-plan"
    static let version = "1"

    init(
        _ source: SourceText, _ directory: [UInt8], _ checksFiles: Bool, _ diagnostics: Diagnostics
    ) {
        self.source = source
        self.directory = directory
        self.checksFiles = checksFiles
        self.diagnostics = diagnostics
    }

    /// The plan; nil where something in it is wrong.
    mutating func plan() -> Plan? {
        let before = diagnostics.count(of: .error)
        let statements = statements()
        let single = singles(statements)
        var plan = image(single["image"])
        if let statement = single["root"] {
            plan.root = entry(statement, [], .directory)
        } else if diagnostics.count(of: .error) == before {
            add(at: source.bytes.count, "found no 'root', expected the root of the tree")
        }
        addParts(of: single, to: &plan)
        for statement in statements where !diagnostics.isFull {
            if statement.name == "remain" {
                plan.remains.append(remain(statement))
            } else if let entry = entry(statement) {
                plan.entries.append(entry)
            }
        }
        checkLinks(statements, plan)
        return diagnostics.count(of: .error) == before ? plan : nil
    }

    // MARK: Statements

    /// All statements behind the version; none where that is not ours.
    private mutating func statements() -> [PlanStatement] {
        var lexer = PlanLexer(source)
        var statements: [PlanStatement] = []
        do throws(Diagnostic) {
            let first = try lexer.statement()
            let words = first?.words.map(\.bytes) ?? []
            guard first?.name == Self.signature, words == [Array(Self.version.utf8)] else {
                let offset = first?.offset ?? 0
                let line = source.line(source.mark(at: offset).line) ?? []
                add(
                    at: offset,
                    "found \(quoted(line)), expected '\(Self.signature) \(Self.version)'")
                return []
            }
        } catch {
            diagnostics.add(error)
            return []
        }
        while !diagnostics.isFull {
            do throws(Diagnostic) {
                guard let statement = try lexer.statement() else { break }
                add(statement, to: &statements)
            } catch {
                diagnostics.add(error)
            }
        }
        return statements
    }

    private mutating func add(_ statement: PlanStatement, to statements: inout [PlanStatement]) {
        let name = statement.name
        if let shape = PlanShape.parts[name] {
            guard let last = statements.last,
                PlanShape.statements[last.name]?.parts.contains(name)
                    == true
            else {
                let above = statements.last.map { "of '\($0.name)'" } ?? "at the beginning"
                return add(at: statement.offset, "'\(name)' is no part \(above)")
            }
            check(statement, shape)
            if shape.isSingle, last.parts.contains(where: { $0.name == name }) {
                return add(at: statement.offset, "a second '\(name)' of one '\(last.name)'")
            }
            statements[statements.count - 1].parts.append(statement)
        } else if let shape = PlanShape.statements[name] {
            check(statement, shape)
            statements.append(statement)
        } else {
            let known = Array(PlanShape.statements.keys) + Array(PlanShape.parts.keys)
            add(
                at: statement.offset, "unknown statement \(quoted(Array(name.utf8)))",
                hint: Self.hint(name, known))
        }
    }

    private mutating func check(_ statement: PlanStatement, _ shape: PlanShape) {
        var seen: Set<String> = []
        for pair in statement.pairs {
            if !shape.keys.contains(pair.key) {
                add(
                    at: pair.offset,
                    "unknown key \(quoted(Array(pair.key.utf8))) of '\(statement.name)'",
                    hint: Self.hint(pair.key, shape.keys))
            } else if !seen.insert(pair.key).inserted {
                add(at: pair.offset, "a second '\(pair.key)=' in one line")
            }
        }
        if statement.words.count < shape.words.lowerBound {
            add(at: statement.offset, "'\(statement.name)' without the word that follows it")
        } else if statement.words.count > shape.words.upperBound {
            let word = statement.words[shape.words.upperBound]
            add(at: word.offset, "found \(quoted(word.bytes)), expected 'key=value'")
        }
    }

    private static func hint(_ name: String, _ known: [String]) -> String? {
        nearest(to: String(name.prefix(32)), among: known.sorted()).map { "did you mean '\($0)'?" }
    }

    /// The statements that stand once, by name.
    private mutating func singles(_ statements: [PlanStatement]) -> [String: PlanStatement] {
        var singles: [String: PlanStatement] = [:]
        for statement in statements where PlanShape.statements[statement.name]?.isSingle == true {
            if let first = singles[statement.name] {
                let line = source.mark(at: first.offset).line
                add(
                    at: statement.offset,
                    "a second '\(statement.name)'; the first is in line \(line)")
            } else {
                singles[statement.name] = statement
            }
        }
        if let startup = singles["startup"], singles["startup-header"] != nil {
            add(at: startup.offset, "'startup' and 'startup-header' do not go together")
        }
        return singles
    }

    /// Links lead to entries of the plan.
    private mutating func checkLinks(_ statements: [PlanStatement], _ plan: Plan) {
        var files: Set<UInt32> = []
        for entry in plan.entries {
            switch entry.kind {
            case .file, .program, .extent: files.insert(entry.inode)
            case .hardLink, .directory, .symlink, .device: break
            }
        }
        for statement in statements {
            let key = statement.name == "hardlink" ? "to" : "library"
            guard let value = statement.value(key),
                let inode = try? UInt32(exactly: Number.parse(value.bytes)),
                !files.contains(inode)
            else { continue }
            add(at: value.offset, "\(key): found \(inode), which is the inode of no file")
        }
    }

    /// Adds an error.
    mutating func add(at offset: Int, _ message: String, hint: String? = nil) {
        diagnostics.add(Diagnostic(at: source.mark(at: offset), message, hint: hint))
    }
}

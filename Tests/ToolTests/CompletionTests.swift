import Foundation
import TestSupport
import Testing

/// The completions that a tool writes for the shells, asked through the shells themselves.
struct CompletionTests {
    static let tools = ["dumpifs", "mount.ifs"]

    /// A folder with a directory, a file whose name has a blank, and the script as `script`.
    private func folder(_ tool: String, _ shell: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let program = tool == "dumpifs" ? Tool.dumpifs : Tool.mountIFS
        let outcome = try Child([program, "--generate-completion-script", shell]).run()
        expectSuccess(outcome)
        try folder.write(outcome.output, to: "script")
        mkdir(folder.path("sub"), 0o755)
        try folder.write([], to: "an image.ifs")
        return folder
    }

    private func run(_ words: [String], in folder: TemporaryFolder) throws -> Child.Outcome {
        var child = Child(words)
        child.folder = folder.url
        child.environment["HOME"] = folder.path("")
        return try child.run()
    }

    /// What bash offers for the last of the words, which are as bash splits them.
    private func bash(_ tool: String, _ words: [String]) throws -> [String] {
        let folder = try folder(tool, "bash")
        let script = """
            source ./script
            function=$(complete -p "$1") && function=${function##*-F } && function=${function%% *}
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            $function "$1" "${COMP_WORDS[COMP_CWORD]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let outcome = try run(
            ["bash", "--norc", "--noprofile", "-c", script, "bash", tool] + words, in: folder)
        expectSuccess(outcome)
        return outcome.lines
    }

    @Test(.enabled(if: Tool.has("bash"), "no bash here"), arguments: tools)
    func bashTakesTheScript(_ tool: String) throws {
        let folder = try folder(tool, "bash")
        expectSuccess(try run(["bash", "-n", "script"], in: folder))
        let outcome = try run(["bash", "-c", "source ./script; complete -p \(tool)"], in: folder)
        expectSuccess(outcome)
    }

    @Test(.enabled(if: Tool.has("bash"), "no bash here"))
    func bashCompletesOptionsTheirValuesAndFiles() throws {
        #expect(try bash("dumpifs", ["--ver"]) == ["--verify", "--version"])
        #expect(try bash("dumpifs", ["-x", "--js"]) == ["--json"])
        #expect(
            try Set(bash("dumpifs", ["-"])) == Set(HelpText("dumpifs").options.flatMap(\.spellings))
        )
        #expect(try Set(bash("dumpifs", [""])) == ["an image.ifs", "script", "sub"])
        #expect(try bash("dumpifs", ["-v", "an"]) == ["an image.ifs"])
        #expect(try bash("dumpifs", ["-d", ""]) == ["sub"])
        #expect(try bash("dumpifs", ["-u", "s"]).sorted() == ["script", "sub"])
        #expect(try bash("dumpifs", ["--image", ""]) == [])
        #expect(try bash("dumpifs", ["--generate-completion-script", "z"]) == ["zsh"])
        #expect(
            try bash("dumpifs", ["--generate-completion-script", "="]) == ["bash", "zsh", "fish"])
        #expect(try bash("dumpifs", ["--generate-completion-script", "=", "f"]) == ["fish"])
        #expect(try bash("dumpifs", ["--image", "=", ""]) == [])
        #expect(try bash("mount.ifs", ["-o", "al"]) == ["allow_other"])
        #expect(try bash("mount.ifs", ["--fore"]) == ["--foreground"])
    }

    @Test(.enabled(if: Tool.has("zsh"), "no zsh here"), arguments: tools)
    func zshTakesTheScript(_ tool: String) throws {
        let folder = try folder(tool, "zsh")
        expectSuccess(try run(["zsh", "-f", "-n", "script"], in: folder))
        let text = String(decoding: try folder.bytes("script"), as: UTF8.self)
        #expect(text.hasPrefix("#compdef \(tool)\n"))
        for spelling in try HelpText(tool).options.flatMap(\.spellings) {
            #expect(text.contains("'*\(spelling)["), "\(spelling)")
        }
    }

    @Test(.enabled(if: Tool.has("fish"), "no fish here"), arguments: tools)
    func fishTakesTheScript(_ tool: String) throws {
        let folder = try folder(tool, "fish")
        expectSuccess(try run(["fish", "--no-config", "--no-execute", "script"], in: folder))
    }

    @Test(.enabled(if: Tool.has("fish"), "no fish here"))
    func fishCompletesOptionsTheirValuesAndFiles() throws {
        let folder = try folder("dumpifs", "fish")
        func offered(_ line: String) throws -> [String] {
            let outcome = try run(
                ["fish", "--no-config", "-c", "source script; complete -C \"\(line)\""], in: folder)
            #expect(outcome.end == .exit(0))
            return outcome.lines.map { String($0.prefix { $0 != "\t" }) }
        }
        #expect(try offered("dumpifs --ver") == ["--verify", "--version"])
        #expect(try offered("dumpifs --verify a") == ["an image.ifs"])
        #expect(try offered("dumpifs -d ") == ["sub/"])
        #expect(try offered("dumpifs -u s").sorted() == ["script", "sub/"])
        #expect(try offered("dumpifs --image ") == [])
        #expect(try offered("dumpifs --generate-completion-script z") == ["zsh"])
    }
}

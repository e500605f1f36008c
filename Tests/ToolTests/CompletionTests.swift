import Foundation
import TestSupport
import Testing

/// The completions that a tool writes for the shells, asked through the shells themselves.
struct CompletionTests {
    static let tools = ["dumpifs", "ifsctl", "mkifs", "mount.ifs", "umount.ifs"]

    /// A folder with a directory, a file whose name has a blank, and the script as `script`.
    private func folder(_ tool: String, _ shell: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let outcome = try Child([Tool.path(tool), "--generate-completion-script", shell]).run()
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

    // MARK: bash

    /// What bash offers for the last of the words, which are as bash splits them.
    private func bash(_ tool: String, _ words: [String]) throws -> [String] {
        let folder = try folder(tool, "bash")
        let script = """
            source ./script
            function=$(complete -p "$1") && function=${function##*-F } && function=${function%% *}
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            COMP_LINE=$* COMP_POINT=${#COMP_LINE}
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
        #expect(try bash("mount.ifs", ["--fore"]) == ["--foreground"])
        #expect(try bash("mount.ifs", ["-o", "ro", "an"]) == ["an image.ifs"])
        #expect(
            try Set(bash("umount.ifs", ["-"]))
                == Set(HelpText("umount.ifs").options.flatMap(\.spellings)))
        #expect(try bash("umount.ifs", ["-l", "su"]) == ["sub"])
        #expect(try bash("mkifs", ["--prof"]) == ["--profile"])
        #expect(try bash("mkifs", ["--profile", "7"]) == ["7.0", "7.1"])
        #expect(try bash("mkifs", ["-o", ""]) == ["sub"])
        #expect(try bash("mkifs", ["-t", ""]) == ["ifs"])
        #expect(try bash("mkifs", ["-v", "an"]) == ["an image.ifs"])
        #expect(
            try Set(bash("mkifs", ["-"])) == Set(HelpText("mkifs").options.flatMap(\.spellings)))
        #expect(try bash("ifsctl", ["l"]) == ["list"])
        #expect(try bash("ifsctl", ["list", "--js"]) == ["--json"])
        #expect(try bash("ifsctl", ["check", "an"]) == ["an image.ifs"])
    }

    /// The words are those that bash makes of a line: of `uid=5` three.
    @Test(.enabled(if: Tool.has("bash"), "no bash here"))
    func bashCompletesTheWordBehindTheLastComma() throws {
        #expect(try bash("mount.ifs", ["-o", "al"]) == ["allow_other"])
        #expect(try bash("mount.ifs", ["-o", "ro,allo"]) == ["ro,allow_other"])
        #expect(try bash("mount.ifs", ["-o", "ro,xattr,su"]) == ["ro,xattr,subdir="])
        #expect(try bash("mount.ifs", ["-o", "ro,uid", "=", "5,allo"]) == ["5,allow_other"])
        #expect(
            try bash("mount.ifs", ["-o", "uid", "=", "5,gid", "=", "6,ro,fore"])
                == ["6,ro,foreground"])
        #expect(try bash("mount.ifs", ["-o", "ro,nothing"]) == [])
        for value in [["="], ["=", ""], ["=", "s"]] {
            #expect(try bash("mount.ifs", ["-o", "ro,uid"] + value) == [], "a value is no option")
        }
        let options = try HelpText("mount.ifs").mountOptions
        for (typed, lead) in [("", ""), ("ro,", "ro,")] {
            let offered = try bash("mount.ifs", ["-o", typed])
            #expect(offered.allSatisfy { $0.hasPrefix(lead) })
            #expect(
                Set(offered.map { String($0.dropFirst(lead.count).prefix { $0 != "=" }) })
                    == options)
        }
    }

    // MARK: zsh

    /// What zsh makes of each line when the tab key is pressed behind it.
    private func zsh(_ tool: String, _ lines: [String]) throws -> [String] {
        let folder = try folder(tool, "zsh")
        mkdir(folder.path("functions"), 0o755)
        try folder.write(folder.bytes("script"), to: "functions/_\(tool)")
        let script = """
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell 'unsetopt zle_bracketed_paste; PS1=; fpath=($PWD/functions $fpath)'
            zpty -w shell 'autoload -Uz compinit; compinit -u -D'
            zpty -w shell 'show() { print -r -- "<${BUFFER}>"; BUFFER= }; zle -N show'
            zpty -w shell 'bindkey "^X" show; bindkey "^I" complete-word; print REA""DY'
            zpty -r shell answer '*READY*'
            for line in "$@"; do
                zpty -n -w shell "$line"$'\\t\\x18'
                zpty -r -m shell answer '*<*>*'
                print -r -- "${${answer##*<}%%>*}"
            done
            zpty -d shell
            """
        let outcome = try run(["zsh", "-f", "-c", script, "zsh"] + lines, in: folder)
        #expect(outcome.end == .exit(0))
        return outcome.lines
    }

    @Test(.enabled(if: Tool.has("zsh"), "no zsh here"), arguments: tools)
    func zshTakesTheScript(_ tool: String) throws {
        let folder = try folder(tool, "zsh")
        expectSuccess(try run(["zsh", "-f", "-n", "script"], in: folder))
        let text = String(decoding: try folder.bytes("script"), as: UTF8.self)
        #expect(text.hasPrefix("#compdef \(tool)\n"))
        guard tool != "ifsctl" else { return }
        for spelling in try HelpText(tool).options.flatMap(\.spellings) {
            #expect(text.contains("'*\(spelling)["), "\(spelling)")
        }
    }

    @Test(.enabled(if: Tool.has("zsh"), "no zsh here"))
    func zshCompletesOptionsTheirValuesAndFiles() throws {
        #expect(
            try zsh(
                "mount.ifs",
                [
                    "mount.ifs --fore", "mount.ifs -o allo", "mount.ifs -o ro,allo",
                    "mount.ifs -o ro,uid=5,fore", "mount.ifs -o ro,sub", "mount.ifs an",
                ]) == [
                    "mount.ifs --foreground ", "mount.ifs -o allow_other,",
                    "mount.ifs -o ro,allow_other,", "mount.ifs -o ro,uid=5,foreground,",
                    "mount.ifs -o ro,subdir=", "mount.ifs an\\ image.ifs ",
                ])
        #expect(try zsh("umount.ifs", ["umount.ifs -l an"]) == ["umount.ifs -l an\\ image.ifs "])
        #expect(
            try zsh("ifsctl", ["ifsctl ch", "ifsctl list --js", "ifsctl check an"])
                == ["ifsctl check ", "ifsctl list --json ", "ifsctl check an\\ image.ifs "])
        #expect(
            try zsh("dumpifs", ["dumpifs --verb", "dumpifs --verif"])
                == ["dumpifs --verb", "dumpifs --verify "])
    }

    // MARK: fish

    /// What fish offers at the end of a line.
    private func fish(_ tool: String, _ line: String) throws -> [String] {
        let outcome = try run(
            ["fish", "--no-config", "-c", "source script; complete -C \"\(line)\""],
            in: folder(tool, "fish"))
        #expect(outcome.end == .exit(0))
        return outcome.lines.map { String($0.prefix { $0 != "\t" }) }
    }

    @Test(.enabled(if: Tool.has("fish"), "no fish here"), arguments: tools)
    func fishTakesTheScript(_ tool: String) throws {
        let folder = try folder(tool, "fish")
        expectSuccess(try run(["fish", "--no-config", "--no-execute", "script"], in: folder))
    }

    @Test(.enabled(if: Tool.has("fish"), "no fish here"))
    func fishCompletesOptionsTheirValuesAndFiles() throws {
        #expect(try fish("dumpifs", "dumpifs --ver") == ["--verify", "--version"])
        #expect(try fish("dumpifs", "dumpifs --verify a") == ["an image.ifs"])
        #expect(try fish("dumpifs", "dumpifs -d ") == ["sub/"])
        #expect(try fish("dumpifs", "dumpifs -u s").sorted() == ["script", "sub/"])
        #expect(try fish("dumpifs", "dumpifs --image ") == [])
        #expect(try fish("dumpifs", "dumpifs --generate-completion-script z") == ["zsh"])
        #expect(try fish("umount.ifs", "umount.ifs --vers") == ["--version"])
        #expect(try fish("umount.ifs", "umount.ifs su") == ["sub/"])
        #expect(try fish("ifsctl", "ifsctl l") == ["list"])
        #expect(try fish("ifsctl", "ifsctl list --js") == ["--json"])
        #expect(try fish("ifsctl", "ifsctl check an") == ["an image.ifs"])
    }

    @Test(.enabled(if: Tool.has("fish"), "no fish here"))
    func fishCompletesTheWordBehindTheLastComma() throws {
        #expect(try fish("mount.ifs", "mount.ifs -o allo") == ["allow_other"])
        #expect(try fish("mount.ifs", "mount.ifs -o ro,allo") == ["ro,allow_other"])
        #expect(try fish("mount.ifs", "mount.ifs -o ro,uid=5,sub") == ["ro,uid=5,subdir="])
        let options = try HelpText("mount.ifs").mountOptions
        for lead in ["", "ro,"] {
            let offered = try fish("mount.ifs", "mount.ifs -o \(lead)")
            #expect(
                Set(offered.map { String($0.dropFirst(lead.count).prefix { $0 != "=" }) })
                    == options)
        }
    }
}

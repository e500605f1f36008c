extension OptionTable {
    /// The completion script for a shell: `bash`, `zsh` or `fish`.
    public func completionScript(for shell: String) throws(ToolError) -> String {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        default:
            throw ToolError("no completions for '\(shell)'; expected bash, zsh or fish")
        }
    }

    private func spellings(_ option: Option) -> [String] {
        (option.letter.map { ["-\($0)"] } ?? []) + (option.name.map { ["--\($0)"] } ?? [])
    }

    private func bashAction(_ words: Words) -> String {
        switch words {
        case .files: "compgen -f -- \"$current\""
        case .directories: "compgen -d -- \"$current\""
        case .words(let list): Self.bashWords(list)
        case .none: "true"
        }
    }

    private static func bashWords(_ list: [String]) -> String {
        "compgen -W '\(list.joined(separator: " "))' -- \"$current\""
    }

    private var bash: String {
        let function = "_" + identifier
        let cases = options.filter { $0.argument != nil }.map { option in
            // As file names, words would be quoted, and a directory of that name end in a slash.
            let isWords = if case .words = option.words { true } else { false }
            return "        \(spellings(option).joined(separator: "|"))) "
                + (isWords ? "compopt +o filenames 2>/dev/null; " : "")
                + "mapfile -t COMPREPLY < <(\(bashAction(option.words))); return ;;"
        }
        let all = options.flatMap(spellings)
        return """
            \(function)() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
                # Of --name=value bash makes three words.
                if [[ $current == = ]]; then
                    current=
                elif [[ $previous == = && $COMP_CWORD -gt 1 ]]; then
                    previous=${COMP_WORDS[COMP_CWORD-2]}
                fi
                case $previous in
            \(cases.joined(separator: "\n"))
                esac
                if [[ $current == -* ]]; then
                    compopt +o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(\(Self.bashWords(all)))
                else
                    mapfile -t COMPREPLY < <(\(bashAction(operands)))
                fi
            }
            complete -o filenames -F \(function) \(tool)

            """
    }

    private var zsh: String {
        func action(_ words: Words) -> String {
            switch words {
            case .files: "_files"
            case .directories: "_files -/"
            case .words(let list): "(\(list.joined(separator: " ")))"
            case .none: " "
            }
        }
        func quoted(_ text: String) -> String {
            text.reduce(into: "") { out, character in
                switch character {
                case "'": out += "'\\''"
                case "[", "]", ":", "\\": out += "\\\(character)"
                default: out.append(character)
                }
            }
        }
        let rows = options.flatMap { option in
            spellings(option).map { spelling in
                let value = option.argument.map { ":\($0):\(action(option.words))" } ?? ""
                return "    '*\(spelling)[\(quoted(option.help))]\(value)'"
            }
        }
        return """
            #compdef \(tool)
            _arguments -s -S \\
            \(rows.joined(separator: " \\\n")) \\
                '*:file:\(action(operands))'

            """
    }

    private var fish: String {
        let rows = options.map { option in
            var line = "complete -c \(tool)"
            if let letter = option.letter { line += " -s \(letter)" }
            if let name = option.name { line += " -l \(name)" }
            switch option.words {
            case .files: line += " -rF"
            case .directories: line += " -xa '(__fish_complete_directories)'"
            case .words(let list): line += " -xa '\(list.joined(separator: " "))'"
            case .none: line += option.argument == nil ? "" : " -x"
            }
            let help = option.help.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return line + " -d '\(help)'"
        }
        return rows.joined(separator: "\n") + "\n"
    }

    private var identifier: String { String(tool.map { $0.isLetter || $0.isNumber ? $0 : "_" }) }
}

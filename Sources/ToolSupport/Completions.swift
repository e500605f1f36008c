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
        case .files: "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
        case .directories: "mapfile -t COMPREPLY < <(compgen -d -- \"$current\")"
        case .words(let list): Self.bashWords(list)
        case .list(let list):
            // What stands behind `name=`, which is a word of its own, is a value and not offered.
            """
            if [[ $current == *,* || $first -eq $COMP_CWORD ]]; then
                        [[ $current == *,* ]] && head=${current%,*},
                        compopt +o filenames -o nospace 2>/dev/null
                        mapfile -t COMPREPLY < <(compgen -P "$head" -W '\
            \(list.joined(separator: " "))' -- "${current##*,}")
                    fi
            """
        case .none: "true"
        }
    }

    /// As file names, words would be quoted, and a directory of that name end in a slash.
    private static func bashWords(_ list: [String]) -> String {
        "compopt +o filenames 2>/dev/null; mapfile -t COMPREPLY < "
            + "<(compgen -W '\(list.joined(separator: " "))' -- \"$current\")"
    }

    private var bash: String {
        let function = "_" + identifier
        let cases = options.filter { $0.argument != nil }.map { option in
            "        \(spellings(option).joined(separator: "|"))) "
                + "\(bashAction(option.words)); return ;;"
        }
        return """
            \(function)() {
                local current=${COMP_WORDS[COMP_CWORD]} first=$COMP_CWORD head= previous
                # Of name=value bash makes three words; the first is where they begin.
                while ((first > 1)); do
                    if [[ ${COMP_WORDS[first]} == = ]]; then
                        ((first -= 1))
                    elif ((first > 2)) && [[ ${COMP_WORDS[first-1]} == = ]]; then
                        ((first -= 2))
                    else
                        break
                    fi
                done
                [[ $current == = ]] && current=
                previous=${COMP_WORDS[first]}
                if [[ $first -eq $COMP_CWORD || $previous != --* ]]; then
                    previous=${COMP_WORDS[first-1]}
                fi
                case $previous in
            \(cases.joined(separator: "\n"))
                esac
                if [[ $current == -* ]]; then
                    \(Self.bashWords(options.flatMap(spellings)))
                else
                    \(bashAction(operands))
                fi
            }
            complete -o filenames -F \(function) \(tool)

            """
    }

    private var zsh: String {
        func action(_ option: Option) -> String {
            if case .list = option.words { return listFunction(option) }
            return zshAction(option.words)
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
                let value = option.argument.map { ":\($0):\(action(option))" } ?? ""
                return "    '*\(spelling)[\(quoted(option.help))]\(value)'"
            }
        }
        let functions = options.compactMap { option -> String? in
            guard case .list(let list) = option.words else { return nil }
            let words = list.map { $0.hasSuffix("=") ? "'\($0.dropLast()):value: '" : "'\($0)'" }
            return """
                \(listFunction(option))() {
                    _values -s , \(option.argument ?? "") \(words.joined(separator: " "))
                }

                """
        }
        return """
            #compdef \(tool)
            \(functions.joined())_arguments -s -S \\
            \(rows.joined(separator: " \\\n")) \\
                '*:file:\(zshAction(operands))'

            """
    }

    private func zshAction(_ words: Words) -> String {
        switch words {
        case .files: "_files"
        case .directories: "_files -/"
        case .words(let list), .list(let list): "(\(list.joined(separator: " ")))"
        case .none: " "
        }
    }

    /// The zsh function that completes a comma list.
    private func listFunction(_ option: Option) -> String { "_\(identifier)_\(option.id)" }

    private var fish: String {
        let rows = options.map { option in
            var line = "complete -c \(tool)"
            if let letter = option.letter { line += " -s \(letter)" }
            if let name = option.name { line += " -l \(name)" }
            switch option.words {
            case .files: line += " -rF"
            case .directories: line += " -xa '(__fish_complete_directories)'"
            case .words(let list): line += " -xa '\(list.joined(separator: " "))'"
            case .list(let list):
                // What stands before the last comma, with each of the words.
                line += " -xa '(string replace -r \"[^,]*\\$\" \"\" -- (commandline -ct))"
                line += "{\(list.joined(separator: ","))}'"
            case .none: line += option.argument == nil ? "" : " -x"
            }
            let help = option.help.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return line + " -d '\(help)'"
        }
        return rows.joined(separator: "\n") + "\n"
    }

    private var identifier: String { String(tool.map { $0.isLetter || $0.isNumber ? $0 : "_" }) }
}

import TestSupport

/// Script sections.
extension RandomBuild {
    /// Adds a script; all of them become one file of the image.
    mutating func addScript() {
        var lines: [String] = []
        for _ in 0..<random.number(0...8) { lines.append(scriptLine()) }
        let list = random.shuffled(attributes() + [random.pick(["+script", "+script", "+s"])])
        add(list, inline(spelled(newName(unique: true), .name), lines.map { $0 + end }.joined()))
    }

    private mutating func scriptLine() -> String {
        switch random.number(0...11) {
        case 0: return "# a comment }"
        case 1: return modifiers(always: true)
        case 2: return assignments(always: true)
        case 3: return modifiers() + "display_msg" + arguments(0...4)
        case 4: return modifiers() + "waitfor /dev/" + name() + seconds()
        case 5: return random.pick(["reopen", "reopen /dev/ser1", "reopen /dev/con1 2.5"])
        case 6: return "procmgr_symlink ../../x" + name() + " /y" + name()
        case 7:
            let words = ["waitfor", "reopen", "display_msg", "procmgr_symlink"]
            return "[+external] " + random.pick(words) + arguments(0...3)
        default:
            return modifiers() + assignments() + program() + arguments(0...5)
                + random.pick(["", "", " &"])
        }
    }

    private mutating func name() -> String { random.pick(["", "ser1", "x${NAME}", "\" z\""]) }

    private mutating func program() -> String {
        random.pick(["devc-ser", "/sbin/slogger", "\"my tool\"", "a/b/x${NAME}", "sh", "x${CHAIN}"])
    }

    private mutating func seconds() -> String {
        random.pick(["", " 5", " 2.5", " 0.1", " 10.05", " 9999", " 6553.6", " 70000"])
    }

    mutating func arguments(_ count: ClosedRange<Int>) -> String {
        var text = ""
        for _ in 0..<random.number(count) { text += " " + anyWord(.command) }
        return text
    }

    /// `NAME=value` words, which may be none.
    mutating func assignments(always: Bool = false) -> String {
        guard always || random.chance(30) else { return "" }
        var text = ""
        for _ in 0..<random.number(1...2) {
            let name = random.pick(["PATH", "LD_LIBRARY_PATH", "TZ", "_x1", "NAME"])
            let values = ["/proc/boot", "/a:/b", "\"a b\"", "", "é", "${CHAIN}"]
            // Whether a value can make a variable of the word it is used in is not known.
            let value = random.pick(values + (name == "NAME" ? [] : ["x=y"]))
            text += name + "=" + value + " "
        }
        return text
    }

    private mutating func modifiers(always: Bool = false) -> String {
        guard always || random.chance(30) else { return "" }
        let list = [
            "+session", "-session", "+debug", "-debug",
            "cpu=" + random.pick(["0", "1", "*", "15"]),
            "pri=" + random.pick(["10", "10r", "63f", "1o", "*", "20f"]),
            "argv0=" + anyWord(.attribute),
        ]
        let some = random.some(list, 30)
        return "[" + (some.isEmpty ? "+session" : some.joined(separator: " ")) + "] "
    }
}

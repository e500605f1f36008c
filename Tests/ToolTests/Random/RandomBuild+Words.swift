import TestSupport

/// Words, as they can be written.
extension RandomBuild {
    /// Where a word stands.
    enum Place {
        case attribute
        case name
        case command

        /// What has to be quoted there.
        var special: String {
            switch self {
            case .attribute: " \t\n\"#\\[]"
            case .name: " \t\n\"#\\[]={}"
            case .command: " \t\n\"#\\["
            }
        }
    }

    /// A way to write a word that has exactly these characters, none of which is a reference.
    mutating func spelled(_ word: String, _ place: Place) -> String {
        let isPlain = !word.isEmpty && !word.contains { place.special.contains($0) }
        if isPlain && random.chance(80) { return word }
        if isPlain && random.chance(40) {
            let reference = random.pick(["${EMPTY}", "${UNSET}"])
            return random.chance(50) ? word + reference : reference + word
        }
        if isPlain && !hasCarriageReturns && random.chance(40) { return word + "\\\n" }
        let escaped = word.map { "\"\\$".contains($0) ? "\\\($0)" : String($0) }.joined()
        return "\"" + escaped + "\"" + random.pick(["", "", "\"\""])
    }

    /// A word that may mean anything; often with references.
    mutating func anyWord(_ place: Place) -> String {
        let free = [
            "alpha", "-v", "x-${NAME}", "${CHAIN}", "\"two words\"", "'one", "a#b", "\"#\"", "$x",
            "\\$HOME", "\"${NAME}\"", "a\\\\b", "pre${EMPTY}fix", "ü", "\"\\\"\"", "100%",
            "-b115200",
        ]
        let more = place == .command ? ["a=b", "\"\"", "${UNSET}", "[x]", "a\\ b", "{", "}"] : []
        return random.pick(free + more)
    }

    /// A file's contents.
    mutating func contents() -> [UInt8] {
        let sizes = [
            0, 1, 3, 4, 5, 100, 1000, pageSize - 1, pageSize, pageSize + 1, 0x1_0000,
            random.number(0...20_000), random.number(0...3000), random.number(0...300),
        ]
        let size = random.pick(sizes)
        switch random.number(0...2) {
        case 0: return random.noise(size)
        case 1: return random.text(size)
        default: return [UInt8](repeating: random.pick([0, 0x20, 0x7f]), count: size)
        }
    }

    /// Text between braces. A `}` and a backslash need a backslash before them; others may have one.
    mutating func inlined(_ text: String) -> String {
        var result = ""
        for character in text {
            if "\\}".contains(character) || random.chance(2) && character != "\r\n" {
                result += "\\"
            }
            result += String(character)
        }
        return "{" + end + result + "}"
    }

    /// `name = {`, the text and `}`.
    mutating func inline(_ name: String, _ text: String) -> String {
        name + random.pick([" = ", "=", " ", " =\t"]) + inlined(text)
    }
}

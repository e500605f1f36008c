public import ToolSupport

/// The mkifs command: makes an image from a buildfile.
public enum MkifsCommand {
    /// The options, the vendor's letters first.
    public static let table = OptionTable(
        tool: "mkifs", summary: "make a QNX IFS image from a buildfile",
        usage: [
            "mkifs [OPTION]... [BUILDFILE|- [DIRECTORY] [IMAGE|-]]",
            "mkifs [OPTION]... DIRECTORY [IMAGE|-]",
            "mkifs --check [OPTION]... BUILDFILE", "mkifs --plan PLAN [IMAGE|-]",
        ],
        options: [
            .init("?", nil, "print this and exit"),
            .init("a", nil, argument: "SUFFIX", "end names of kept linked files in .SUFFIX.sym"),
            .init("c", nil, argument: "DIR", words: .directories, "accepted and not needed"),
            .init("h", nil, "keep hard links of the host"),
            .init("l", nil, argument: "LINE", "a line that comes before the buildfile; repeatable"),
            .init("n", nil, "times of generated files become 0; -nn, all but those of mtime="),
            .init("N", nil, "allow more than four bootstrap files; -NN, without a warning"),
            .init("o", nil, argument: "DIR", words: .directories, "put kept linked files into DIR"),
            .init(
                "p", nil, argument: "FILE", words: .files,
                "set owners and permissions by the rules in FILE"),
            .init(
                "r", nil, argument: "ROOT", words: .directories,
                "search ROOT/$PROCESSOR before $QNX_TARGET/$PROCESSOR"),
            .init("s", nil, argument: "SECTION", "keep an ELF section of this name; repeatable"),
            .init("t", nil, argument: "TYPE", words: .words(["ifs"]), "the kind of image: ifs"),
            .init("v", nil, "list the image; -vv adds sums, -vvv commands, six of them searches"),
            .init(
                nil, "profile", argument: "RELEASE",
                words: .words(["6.4", "6.6", "7.0", "7.1", "8.0"]),
                "follow the tool of 6.4, 6.6, 7.0 (default), 7.1 or 8.0; also $MKIFS_PROFILE"),
            .init(nil, "check", "parse and resolve only; missing host files are counted"),
            .init(nil, "print-plan", "print the plan of the image instead of making it"),
            .init(nil, "plan", "read a plan, not a buildfile"),
            .init(
                nil, "depfile", argument: "FILE", words: .files,
                "write a Make rule with all files that the image depends on"),
            .init(nil, "fast", "compress several times faster, and not as small"),
        ],
        notes: [
            "BUILDFILE may be - for standard input, IMAGE - for standard output."
        ])

    /// Runs the command with the words behind its name, and returns its exit status.
    public static func run(_ arguments: [Argument]) -> Int32 {
        Tool.run(table, arguments) { parsed, output, diagnostics throws(ToolError) in
            if parsed.has("?") {
                output.write(table.help)
                return 0
            }
            return try Command(parsed, output, diagnostics).run()
        }
    }
}

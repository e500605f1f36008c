internal import Glibc

/// The version that all tools print.
public let version = "0.1.0"

/// What every tool does around its own work.
public enum Tool {
    /// Puts /dev/null where one of the first three descriptors is closed: the next file that is
    /// opened would take its number, and messages would go into that file. It is open the other way
    /// round, so that reading and writing still fail.
    public static func holdStandardDescriptors() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Parses the command line, answers `--help` and the like, runs `body` and returns the exit
    /// status: `body`'s, or that of the error, whose line stands on standard error then.
    public static func run(
        _ table: OptionTable, _ arguments: [Argument], usageStatus: Int32 = 1,
        _ body: (OptionTable.Parsed, Output, Diagnostics) throws(ToolError) -> Int32
    ) -> Int32 {
        let diagnostics = Diagnostics(tool: table.tool)
        let output = Output()
        let parsed: OptionTable.Parsed
        do throws(ToolError) {
            parsed = try table.parse(arguments)
        } catch {
            diagnostics.say(error.description)
            return usageStatus
        }
        do throws(ToolError) {
            if parsed.has("help") {
                output.write(table.help)
            } else if parsed.has("version") {
                output.line("\(table.tool) (IFSFS) \(version)")
            } else if let shell = parsed.value("generate-completion-script") {
                output.write(try table.completionScript(for: shell.text))
            } else {
                let status = try body(parsed, output, diagnostics)
                try output.finish()
                return status
            }
            try output.finish()
            return 0
        } catch {
            // What was said before the error is good; only the error counts for the status.
            try? output.finish()
            diagnostics.say(error.description)
            return error.status
        }
    }
}

internal import ArgumentParser
public import ToolSupport

/// The ifsctl command: what can be known of images without mounting them.
public enum Ifsctl {
    /// Something could not be looked at, or the command line cannot be understood.
    static let trouble: Int32 = 2

    /// Does what the words behind the tool's name say; gives the exit status: 0, 1 where a check
    /// found something, 2 for trouble.
    public static func run(_ arguments: [ToolSupport.Argument]) -> Int32 {
        guard !arguments.isEmpty else { return refused("found no subcommand, expected one") }
        do {
            var command = try Command.parseAsRoot(arguments.map(\.text))
            if let inspection = command as? any Inspecting { return inspection.inspect(arguments) }
            // What is left is help, which is thrown.
            try command.run()
            return 0
        } catch  where Command.exitCode(for: error) == .success {
            return Inspection.run { output throws(ToolError) in
                output.line(Command.fullMessage(for: error))
                return 0
            }
        } catch {
            return refused(
                Command.message(for: error).split(separator: "\n").joined(separator: " "))
        }
    }

    /// Says in one line, as our other tools do, why the command line cannot be understood.
    private static func refused(_ message: String) -> Int32 {
        let text = message.replacing(". Did you mean", with: "; did you mean")
        let line = text.prefix(1).lowercased() + text.dropFirst()
        Diagnostics(tool: "ifsctl").say(
            line + (line.hasSuffix("?") ? "" : "; 'ifsctl --help' tells more"))
        return trouble
    }
}

/// A subcommand, run with the command line as the bytes that it was.
protocol Inspecting {
    func inspect(_ arguments: [ToolSupport.Argument]) -> Int32
}

struct Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ifsctl",
        abstract:
            "Look at and check QNX images and disks, and save the changes of those that are mounted.",
        version: "ifsctl (IFSFS) \(ToolSupport.version)",
        subcommands: [
            List.self, Check.self, Status.self, Commit.self, Compact.self, Discard.self,
            Recover.self,
            Wait.self,
        ])

    struct List: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Name the partitions and images that are inside a file and could be mounted.")

        @ArgumentParser.Argument(help: "The file, or - for standard input.", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Inspection.list(bytes(of: file, arguments), asJSON: json)
        }
    }

    struct Check: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Check every sum and structure of a disk, or of the images inside a file.",
            discussion: "Exits with 0 when all is well, 1 with findings, 2 when it cannot be told.")

        @ArgumentParser.Argument(help: "The file, or - for standard input.", completion: .file())
        var file: String

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Inspection.check(bytes(of: file, arguments))
        }
    }
}

/// A word as it stood on the command line: names of files need not be text.
func bytes(
    of word: String, _ arguments: [ToolSupport.Argument]
) -> ToolSupport.Argument {
    arguments.first { $0.text == word } ?? ToolSupport.Argument(word)
}

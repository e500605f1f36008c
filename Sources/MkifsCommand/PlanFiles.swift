import Format
import Glibc
import Mkifs
import ToolSupport

extension Command {
    /// The plan that `--plan` names in the place of a buildfile. Paths in it start in its directory;
    /// those of a plan that comes through standard input, in the current one.
    func storedPlan(_ source: SourceText) throws(ToolError) -> Plan {
        guard operands.directory == nil, !options.has("l") else {
            throw ToolError("a plan is all of an image: '--plan' takes no directory and no '-l'")
        }
        var found = Mkifs.Diagnostics()
        let operand = operands.buildfile ?? "-"
        let path = operand.bytes
        let directory =
            operand.text == "-"
            ? [] : path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[...$0]) } ?? []
        var plan = Plan(parsing: source, relativeTo: directory, &found)
        if options.has("fast") { plan?.encoding.isFast = true }
        for one in found.kept { diagnostics.write(one.rendered(from: source)) }
        guard let plan else {
            let count = found.count(of: .error)
            throw ToolError("\(count) error\(count == 1 ? "" : "s")")
        }
        return plan
    }

    /// Prints a plan for `--print-plan`: with absolute paths, so that it can be kept anywhere.
    func printPlan(_ plan: Plan) throws(ToolError) -> Int32 {
        let directory = try Self.workingDirectory()
        do throws(MkifsError) {
            output.write(try plan.text(workingDirectory: directory))
        } catch {
            throw ToolError(error.description)
        }
        return 0
    }

    private static func workingDirectory() throws(ToolError) -> [UInt8] {
        guard let path = unsafe getcwd(nil, 0) else {
            throw ToolError("cannot find the current directory: \(systemMessage(errno))")
        }
        defer { unsafe free(path) }
        return unsafe UnsafeBufferPointer(start: path, count: strlen(path))
            .map(UInt8.init(bitPattern:))
    }
}

import Format
import Mkifs
import ToolSupport

extension Command {
    /// Throws where the image would take the place of a file that it is made from.
    func requireOtherOutput(
        than plan: Plan, _ dependencies: [[UInt8]]
    ) throws(ToolError) {
        let named = [operands.buildfile, options.value("p")].compactMap { $0?.bytes }
        guard operands.image.text != "-",
            Build.replaces(operands.image.bytes, anyOf: named + dependencies + plan.hostFiles)
        else { return }
        throw ToolError(
            "\(printable(operands.image.bytes)): found a file that the image is made from,"
                + " expected another for the image")
    }
}

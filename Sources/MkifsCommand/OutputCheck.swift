import Format
import Glibc
import Mkifs
import ToolSupport

extension Command {
    /// Throws where the image would take the place of a file that it is made from.
    func requireOtherOutput(
        than plan: Plan, _ dependencies: [[UInt8]]
    ) throws(ToolError) {
        guard operands.image.text != "-", let output = Self.identity(operands.image),
            output.isFile
        else { return }
        let named = [operands.buildfile, options.value("p")].compactMap { $0 }
        for input in named + (dependencies + plan.hostFiles).map(Argument.init(bytes:)) {
            guard let other = Self.identity(input), other == output else { continue }
            throw ToolError(
                "\(printable(operands.image.bytes)): found a file that the image is made from,"
                    + " expected another for the image")
        }
    }

    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
        let isFile: Bool
    }

    private static func identity(_ path: Argument) -> Identity? {
        var status = stat()
        guard unsafe path.withCString({ unsafe stat($0, &status) }) == 0 else { return nil }
        return Identity(
            device: status.st_dev, inode: status.st_ino,
            isFile: status.st_mode & S_IFMT == S_IFREG)
    }
}

import Format
import Foundation
import TestSupport

@testable import Mkifs

extension Shell {
    /// What a command writes while it reads from a descriptor.
    static func output(
        of command: ShellCommand, input: Int32, limit: UInt64 = UInt64(UInt32.max)
    ) throws -> [UInt8] {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let path = try scratch.file()
        let output = open(cString(path), O_WRONLY | O_CLOEXEC)
        defer { close(output) }
        try filter(command, input: input, output: output, limit: limit)
        return try Array(Data(contentsOf: URL(fileURLWithPath: text(path))))
    }
}

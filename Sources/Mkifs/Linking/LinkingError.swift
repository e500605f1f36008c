internal import Format

/// Why no program was linked, or no filter's output read.
public enum LinkingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The command of a `linker=` breaks its grammar at a byte, counted from 1.
    case badCommand([UInt8], byte: Int, found: String, expected: String)
    /// The system refused something to do with a file or a program, with this errno.
    case io(String, [UInt8], errno: Int32)
    /// A byte 0 in a command, its environment or its directory, where it would be the end.
    case zeroByte([UInt8])
    /// A command did not succeed; what it had to say is on standard error.
    case failed([UInt8], Termination)
    /// A linker's command succeeded, and there is no program.
    case noProgram([UInt8])
    /// A command gave more bytes than the limit.
    case tooMuchOutput([UInt8], limit: UInt64)
    /// None of these programs is in PATH and links for the machine, or none is known that could.
    case noLinker(machine: UInt16, isBigEndian: Bool, candidates: [String])

    /// One line: where, what was found, what was expected.
    public var description: String {
        switch self {
        case .badCommand(let command, let byte, let found, let expected):
            "linker command \(quoted(command)) at byte \(byte): found \(found), expected \(expected)"
        case .io(let what, let name, let errno):
            "cannot \(what) '\(printable(name))': \(systemMessage(errno))"
        case .zeroByte(let command):
            "command '\(printable(command))': found a byte 0, expected none"
        case .failed(let command, let termination):
            "command '\(printable(command))': found \(termination), expected exit status 0"
        case .noProgram(let command):
            "command '\(printable(command))': found no ELF file behind it, expected a program"
        case .tooMuchOutput(let command, let limit):
            "command '\(printable(command))': found more output, expected at most \(limit) bytes"
        case .noLinker(let machine, let isBigEndian, []):
            "no linker known for \(Self.name(machine, isBigEndian)); give linker="
        case .noLinker(let machine, let isBigEndian, let candidates):
            "no linker in PATH for \(Self.name(machine, isBigEndian));"
                + " looked for \(candidates.joined(separator: ", ")); install lld or give linker="
        }
    }

    private static func name(_ machine: UInt16, _ isBigEndian: Bool) -> String {
        (ELF.machineName(machine) ?? "machine \(machine)")
            + (isBigEndian ? ", big endian" : ", little endian")
    }
}

/// How a command ended.
public enum Termination: Equatable, Sendable, CustomStringConvertible {
    /// By itself, with this status.
    case exited(Int32)
    /// By a signal.
    case signaled(Int32)

    /// `exit status 1`, `signal 9`.
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}

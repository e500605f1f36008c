internal import Format

/// Which files a linker is for, and its command.
struct LinkerSpec {
    let command: [UInt8]

    init(parsing text: [UInt8]) throws(ValueFault) { command = text }

    func matches(_ file: ELFFile) -> Bool { false }
}

/// One file to be linked: what the codes of a linker's command stand for.
struct LinkRequest: Equatable, Sendable {
    /// What the file is in the image.
    enum Kind: UInt64, Sendable {
        /// The program that starts the machine.
        case startup = 0
        /// One that the startup program starts, such as procnto.
        case bootstrap = 1
        /// Any other.
        case other = 2
    }

    /// The file to read.
    var input: [UInt8]
    /// The file to make.
    var output: [UInt8]
    /// `%h`: the run address, where the file's header will be.
    var headerAddress: UInt64
    /// `%t`: where its text will be.
    var textAddress: UInt64
    /// `%d`: where its data will be; 0 for behind the text.
    var dataAddress: UInt64 = 0
    /// `m`: `e_machine`.
    var machine: UInt16
    /// `e`.
    var isBigEndian: Bool
    /// `f`.
    var kind: Kind
    /// `V`: whether the system's bootfile was given by `virtual=`.
    var isVirtualSystem = true
    /// `a`: 7 for ARMv7, else 0.
    var architecture: UInt64 = 0
    /// `module=`, in their order.
    var modules: [[UInt8]] = []
    /// The image's page size: the distance that segments keep, for `DefaultLinker`.
    var pageSize: UInt64 = 0x1000

    /// The command of a spec with its codes replaced. Throws where it breaks the grammar.
    func command(of spec: LinkerSpec) throws(LinkingError) -> [UInt8] {
        try CommandTemplate(parsing: spec.command).text(for: self)
    }

    /// The value of a variable in a condition.
    func value(of variable: CommandTemplate.Variable) -> UInt64 {
        switch variable {
        case .machine: UInt64(machine)
        case .bigEndian: isBigEndian ? 1 : 0
        case .dataAddress: dataAddress
        case .headerAddress: headerAddress
        case .kind: kind.rawValue
        case .virtualFile: isVirtualSystem && kind != .startup ? 1 : 0
        case .virtualSystem: isVirtualSystem ? 1 : 0
        case .architecture: architecture
        }
    }

    /// What a code stands for, ready for the shell; `module` is the loop's.
    func text(of code: CommandTemplate.Code, module: [UInt8]) -> [UInt8] {
        switch code {
        case .headerAddress: Self.digits(headerAddress)
        case .textAddress: Self.digits(textAddress)
        case .dataAddress: Self.digits(dataAddress)
        case .input: ShellCommand.quoted(path: input)
        case .output: ShellCommand.quoted(path: output)
        case .inputDirectory: ShellCommand.quoted(path: Self.directory(of: input))
        case .outputDirectory: ShellCommand.quoted(path: Self.directory(of: output))
        case .module: Self.word(module)
        case .moduleStem: Self.word(module.prefix { $0 != UInt8(ascii: "-") })
        }
    }

    private static func digits(_ value: UInt64) -> [UInt8] { Array(String(value, radix: 16).utf8) }

    private static func directory(of path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: .slash) else { return [UInt8(ascii: ".")] }
        return slash == 0 ? [.slash] : Array(path[..<slash])
    }

    /// A name within a word such as `-uinit_NAME`: as it is, unless the shell would act on it.
    private static func word(_ name: some Sequence<UInt8>) -> [UInt8] {
        let name = Array(name)
        let plain = name.allSatisfy { $0.isNameStart || $0.isDigit || "-.+".utf8.contains($0) }
        return plain ? name : ShellCommand.quoted(name)
    }
}

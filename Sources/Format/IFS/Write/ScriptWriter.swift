extension IFS.Script {
    /// What ends a script: a record of size 0.
    public static let terminator: [UInt8] = [0, 0, 0, 0]
    /// The largest script that is read or written, in bytes with its terminator.
    public static let byteLimit = 1 << 20
    /// The most bytes that a record's size can say.
    public static let recordByteLimit = 0xffff
}

extension IFS.Script.Modifiers {
    /// Modifiers in which those fields count that have a value; the policy counts with the priority.
    public init(
        processor: UInt8?, partition: UInt8?, priority: UInt8?, policy: UInt8, isSession: Bool,
        isDebug: Bool, isBackground: Bool
    ) {
        var flags: UInt8 = 0
        if partition != nil { flags |= Flag.partition }
        if isSession { flags |= Flag.session }
        if priority != nil { flags |= Flag.priority }
        if processor != nil { flags |= Flag.cpu }
        if isBackground { flags |= Flag.background }
        if isDebug { flags |= Flag.debug }
        self.init(
            cpu: processor ?? 0, flags: flags, partition: partition ?? 0,
            policy: priority == nil ? 0 : policy, priority: priority ?? 0)
    }
}

extension IFS.Script.Command {
    /// The command as a record: its head, its texts, zeros up to a multiple of 4. Throws `unsupported`
    /// for more than a record, or the counts in it, can hold.
    public func record() throws(FormatError) -> [UInt8] {
        let (type, body) = try typeAndBody()
        let size = (4 + body.count + 3) & ~3
        guard size <= IFS.Script.recordByteLimit else {
            throw .unsupported(
                Place("script command.size", 0), found: "\(size) bytes", expected: "65,535 at most")
        }
        var record = [UInt8(size & 0xff), UInt8(size >> 8), type, 0] + body
        record += [UInt8](repeating: 0, count: size - record.count)
        return record
    }

    private func typeAndBody() throws(FormatError) -> (UInt8, [UInt8]) {
        switch self {
        case .external(let modifiers, let path, let arguments, let environment):
            let counts = [
                try Self.count(arguments, "script command.argc"),
                try Self.count(environment, "script command.envc"),
            ]
            let head = [
                modifiers.cpu, modifiers.flags, modifiers.partition, 0, modifiers.policy,
                modifiers.priority,
            ]
            return (0, head + counts + Self.texts([path] + arguments + environment))
        case .waitfor(let path, let tenths): return (1, Self.bytes(tenths) + Self.texts([path]))
        case .reopen(let path, let tenths): return (2, Self.bytes(tenths) + Self.texts([path]))
        case .displayMessage(let text): return (3, Self.texts([text]))
        case .symlink(let target, let path): return (4, Self.texts([target, path]))
        case .partition(let name, let id, let budget, let critical):
            return (5, [0, budget] + Self.bytes(critical) + [id] + Self.texts([name]))
        case .unknown(let type, let payload): return (type, payload)
        }
    }

    private static func count(
        _ texts: [[UInt8]], _ field: String
    ) throws(FormatError) -> UInt8 {
        guard let count = UInt8(exactly: texts.count) else {
            throw .unsupported(
                Place(field, 0), found: "\(texts.count) strings", expected: "255 at most")
        }
        return count
    }

    /// Least significant byte first, in images of either byte order.
    private static func bytes(_ value: UInt16) -> [UInt8] {
        [UInt8(value & 0xff), UInt8(value >> 8)]
    }

    private static func texts(_ texts: [[UInt8]]) -> [UInt8] { texts.flatMap { $0 + [0] } }
}

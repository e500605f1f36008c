/// Records of a compiled boot script, one field after the other.
public enum ScriptBytes {
    /// How a command is to run.
    public struct Modifiers: Sendable {
        /// The processor to run on, with CPU_SET.
        public var cpu: UInt8 = 0
        /// EXTSCHED 1, SESSION 2, SCHED_SET 4, CPU_SET 8, BACKGROUND 0x20, KDEBUG 0x40.
        public var flags: UInt8 = 0
        /// The adaptive partition's id, with EXTSCHED.
        public var partition: UInt8 = 0
        /// 1 FIFO, 2 round-robin, 3 other, with SCHED_SET.
        public var policy: UInt8 = 0
        /// With SCHED_SET.
        public var priority: UInt8 = 0

        /// These modifiers; none, if nothing is said.
        public init(
            flags: UInt8 = 0, cpu: UInt8 = 0, partition: UInt8 = 0, policy: UInt8 = 0,
            priority: UInt8 = 0
        ) {
            self.flags = flags
            self.cpu = cpu
            self.partition = partition
            self.policy = policy
            self.priority = priority
        }
    }

    /// What ends a script.
    public static let terminator: [UInt8] = [0, 0, 0, 0]

    /// Type 0: runs a program.
    public static func external(
        _ path: String, _ arguments: [String], _ environment: [String] = [],
        _ modifiers: Modifiers = Modifiers()
    ) -> [UInt8] {
        record(
            0,
            [
                modifiers.cpu, modifiers.flags, modifiers.partition, 0, modifiers.policy,
                modifiers.priority, UInt8(arguments.count), UInt8(environment.count),
            ] + ([path] + arguments + environment).flatMap(text))
    }

    /// Type 1: waits for a path.
    public static func waitfor(_ path: String, tenths: UInt16) -> [UInt8] {
        record(1, [UInt8](tenths, isBigEndian: false) + text(path))
    }

    /// Type 2: opens the standard streams anew.
    public static func reopen(_ path: String, tenths: UInt16) -> [UInt8] {
        record(2, [UInt8](tenths, isBigEndian: false) + text(path))
    }

    /// Type 3: shows a text.
    public static func displayMessage(_ message: String) -> [UInt8] { record(3, text(message)) }

    /// Type 4: makes a link in the process manager's name space.
    public static func symlink(_ target: String, _ path: String) -> [UInt8] {
        record(4, text(target) + text(path))
    }

    /// Type 5: defines an adaptive partition.
    public static func partition(
        _ name: String, id: UInt8, budget: UInt8, critical: UInt16
    ) -> [UInt8] {
        record(5, [0, budget] + [UInt8](critical, isBigEndian: false) + [id] + text(name))
    }

    /// Any type: a head with the size, the body, and zeros up to a whole word.
    public static func record(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, type, 0] + body
        bytes.pad(to: 4)
        bytes.set(UInt16(bytes.count), at: 0)
        return bytes
    }

    private static func text(_ string: String) -> [UInt8] { Array(string.utf8) + [0] }
}

/// The command line that mkifs leaves in a boot program.
public enum BootArgumentBytes {
    /// The entry: 8 bytes of head and the strings; with `isWide` the address stands at the end, in
    /// 64 bits. 6.x adds a NUL that its size counts.
    public static func entry(
        _ arguments: [String], _ environment: [String] = [], address: UInt64, isWide: Bool = false,
        isBigEndian: Bool = false, extraNULs: Int = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, UInt8(arguments.count), UInt8(environment.count)]
        bytes.append(
            isWide ? UInt32.max : UInt32(truncatingIfNeeded: address), isBigEndian: isBigEndian)
        for string in arguments + environment { bytes += Array(string.utf8) + [0] }
        bytes += [UInt8](repeating: 0, count: extraNULs)
        if isWide { bytes.append(address, isBigEndian: isBigEndian) }
        bytes.set(UInt16(bytes.count), at: 0)
        return bytes
    }
}

extension IFS {
    /// A compiled startup script: commands, one behind the other.
    ///
    /// All fields are bytes, so the byte order of the image plays no part. Source: `union
    /// script_cmd` in the vendor's `sys/image.h`; the flag 0x80 is of its 8.0 revision.
    public struct Script: Equatable, Sendable {
        /// How an external command is to run, from the head of its record.
        public struct Modifiers: Equatable, Sendable {
            /// The processor to run on, where `hasCPU`.
            public let cpu: UInt8
            /// Which of the other fields count, and how to run.
            public let flags: UInt8
            /// The adaptive partition's id.
            public let partition: UInt8
            /// 0 as it is, 1 FIFO, 2 round-robin, 3 other.
            public let policy: UInt8
            /// Where `hasPriority`.
            public let priority: UInt8

            enum Flag {
                static let partition: UInt8 = 0x01
                static let session: UInt8 = 0x02
                static let priority: UInt8 = 0x04
                static let cpu: UInt8 = 0x08
                static let background: UInt8 = 0x20
                static let debug: UInt8 = 0x40
                static let critical: UInt8 = 0x80
            }

            /// Modifiers of these values.
            public init(
                cpu: UInt8 = 0, flags: UInt8 = 0, partition: UInt8 = 0, policy: UInt8 = 0,
                priority: UInt8 = 0
            ) {
                self.cpu = cpu
                self.flags = flags
                self.partition = partition
                self.policy = policy
                self.priority = priority
            }

            /// Bit 0x01.
            public var hasPartition: Bool { flags & Flag.partition != 0 }
            /// Bit 0x02: in a session of its own.
            public var isSession: Bool { flags & Flag.session != 0 }
            /// Bit 0x04.
            public var hasPriority: Bool { flags & Flag.priority != 0 }
            /// Bit 0x08.
            public var hasCPU: Bool { flags & Flag.cpu != 0 }
            /// Bit 0x20: not waited for.
            public var isBackground: Bool { flags & Flag.background != 0 }
            /// Bit 0x40: for the kernel debugger.
            public var isDebug: Bool { flags & Flag.debug != 0 }
            /// Bit 0x80: critical to the adaptive partition.
            public var isCritical: Bool { flags & Flag.critical != 0 }

            /// The buildfile's letter of the policy; empty for "as it is".
            public var policyLetter: String {
                switch policy {
                case 1: "f"
                case 2: "r"
                case 3: "o"
                default: ""
                }
            }
        }

        /// One command. Times are in tenths of a second.
        public enum Command: Equatable, Sendable {
            case external(
                Modifiers, path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]])
            case waitfor(path: [UInt8], tenths: UInt16)
            case reopen(path: [UInt8], tenths: UInt16)
            case displayMessage([UInt8])
            case symlink(target: [UInt8], path: [UInt8])
            case partition(name: [UInt8], id: UInt8, budget: UInt8, critical: UInt16)
            case unknown(type: UInt8, payload: [UInt8])
        }

        /// The commands in order, as far as they can be read.
        public let commands: [Command]
        /// Why decoding ended before the terminator; nil where it did not.
        public let broken: FormatError?

        /// Bytes of a record's head.
        private static let headByteCount = 4

        /// Decodes a script file's bytes, up to the terminator, their end or a broken record.
        public init(_ bytes: [UInt8]) {
            var commands: [Command] = []
            var position = 0
            var broken: FormatError?
            do throws(FormatError) {
                while let record = try Self.record(in: bytes, at: position) {
                    commands.append(try Self.command(record, at: position))
                    // The kernel steps in whole words whatever the size says.
                    position &+= (record.count &+ 3) & ~3
                }
            } catch {
                broken = error
            }
            self.commands = commands
            self.broken = broken
        }

        private static func record(
            in bytes: [UInt8], at position: Int
        ) throws(FormatError) -> [UInt8]? {
            let available = bytes.count &- min(bytes.count, position)
            guard available >= 2 else { return nil }
            let size = Int(bytes[position]) | Int(bytes[position &+ 1]) << 8
            guard size != 0 else { return nil }
            guard size >= headByteCount else {
                throw .corrupt(
                    Place("script command.size", UInt64(clamping: position)), found: "\(size)",
                    expected: "0, or \(headByteCount) or more")
            }
            guard size <= available else {
                throw .truncated(
                    Place("script command", UInt64(clamping: position)),
                    needed: UInt64(clamping: size), available: UInt64(clamping: available))
            }
            return Array(bytes[position..<(position &+ size)])
        }

        private static func command(
            _ record: [UInt8], at position: Int
        ) throws(FormatError) -> Command {
            var body = RecordBody(record, from: headByteCount, at: position)
            switch record[2] {
            case 0: return try external(&body)
            case 1:
                let tenths = try body.half()
                return .waitfor(path: try body.text(), tenths: tenths)
            case 2:
                let tenths = try body.half()
                return .reopen(path: try body.text(), tenths: tenths)
            case 3: return .displayMessage(try body.text())
            case 4:
                let target = try body.text()
                return .symlink(target: target, path: try body.text())
            case 5:
                _ = try body.byte()
                let budget = try body.byte()
                let critical = try body.half()
                let id = try body.byte()
                return .partition(
                    name: try body.text(), id: id, budget: budget, critical: critical)
            case let type: return .unknown(type: type, payload: body.rest)
            }
        }

        private static func external(_ body: inout RecordBody) throws(FormatError) -> Command {
            let cpu = try body.byte()
            let flags = try body.byte()
            let partition = try body.byte()
            _ = try body.byte()
            let policy = try body.byte()
            let priority = try body.byte()
            let argumentCount = try body.byte()
            let variableCount = try body.byte()
            let path = try body.text()
            var arguments: [[UInt8]] = []
            for _ in 0..<argumentCount { arguments.append(try body.text()) }
            var environment: [[UInt8]] = []
            for _ in 0..<variableCount { environment.append(try body.text()) }
            return .external(
                Modifiers(
                    cpu: cpu, flags: flags, partition: partition, policy: policy,
                    priority: priority),
                path: path, arguments: arguments, environment: environment)
        }
    }
}

/// The fields of one script record, taken in order.
private struct RecordBody {
    private let bytes: [UInt8]
    private var position: Int
    private let origin: Int

    init(_ bytes: [UInt8], from position: Int, at origin: Int) {
        self.bytes = bytes
        self.position = position
        self.origin = origin
    }

    var rest: [UInt8] { Array(bytes[position...]) }

    mutating func byte() throws(FormatError) -> UInt8 {
        guard position < bytes.count else { throw ended() }
        defer { position &+= 1 }
        return bytes[position]
    }

    mutating func half() throws(FormatError) -> UInt16 {
        let low = UInt16(try byte())
        return low | UInt16(try byte()) << 8
    }

    mutating func text() throws(FormatError) -> [UInt8] {
        guard let end = bytes[position...].firstIndex(of: 0) else { throw ended() }
        defer { position = end &+ 1 }
        return Array(bytes[position..<end])
    }

    private func ended() -> FormatError {
        .truncated(
            Place("script command", UInt64(clamping: origin)),
            needed: UInt64(clamping: bytes.count &+ 1), available: UInt64(clamping: bytes.count))
    }
}

extension IFS {
    /// The command line that mkifs left inside a boot program (`struct bootargs_entry`).
    ///
    /// mkifs writes it over a place-holder in the program's data; nothing points there, so it is
    /// found by the address of the startup header that it holds. Source: `sys/startup.h`, and the
    /// images of 6.4 to 8.0.
    public struct BootArguments: Equatable, Sendable {
        /// Argument strings, the program's name first.
        public let arguments: [[UInt8]]
        /// `NAME=value` strings.
        public let environment: [[UInt8]]

        /// A command line of these strings.
        public init(arguments: [[UInt8]], environment: [[UInt8]] = []) {
            self.arguments = arguments
            self.environment = environment
        }

        /// Bytes before the strings.
        static let headByteCount = 8
        /// The largest entry: the room that programs reserve.
        static let maximumSize = 1024
        /// How many places that look like the head of an entry are looked into; that many are no
        /// accident, and each can cost hundreds of strings.
        private static let candidateLimit = 4096
        /// In place of an address that does not fit in 32 bits; it stands at the entry's end then.
        static let wideAddress = UInt32.max

        /// The first entry in a program's bytes; nil where there is none.
        ///
        /// `address` is where the loader finds the startup header, in the target's memory.
        public static func find(
            in program: [UInt8], _ order: ByteOrder, address: UInt64
        ) -> BootArguments? {
            let narrow = UInt32(exactly: address)
            var patience = candidateLimit
            var position = 0
            while patience > 0, position &+ headByteCount <= program.count {
                let word = order.value(
                    unsafe program.withUnsafeBytes {
                        unsafe $0.loadUnaligned(fromByteOffset: position &+ 4, as: UInt32.self)
                    })
                if word == narrow || word == wideAddress,
                    let found = entry(in: program, at: position, order, word, address, &patience)
                {
                    return found
                }
                position &+= 1
            }
            return nil
        }

        private static func entry(
            in program: [UInt8], at base: Int, _ order: ByteOrder, _ word: UInt32,
            _ address: UInt64, _ patience: inout Int
        ) -> BootArguments? {
            let size = Int(program[base]) | Int(program[base &+ 1]) << 8
            let counts = (
                Int8(bitPattern: program[base &+ 2]), Int8(bitPattern: program[base &+ 3])
            )
            guard (headByteCount...maximumSize).contains(size), counts.0 >= 1, counts.1 >= 0,
                program.count &- base >= size
            else { return nil }
            patience &-= 1
            var strings = program[(base &+ headByteCount)..<(base &+ size)]
            if word == wideAddress {
                guard strings.count >= 8 else { return nil }
                let tail = strings.suffix(8)
                let bytes = order == .little ? Array(tail.reversed()) : Array(tail)
                guard bytes.reduce(UInt64(0), { $0 << 8 | UInt64($1) }) == address else {
                    return nil
                }
                strings = strings.dropLast(8)
            }
            var words: [[UInt8]] = []
            for _ in 0..<(Int(counts.0) &+ Int(counts.1)) {
                guard let end = strings.firstIndex(of: 0) else { return nil }
                words.append(Array(strings[strings.startIndex..<end]))
                strings = strings[(end &+ 1)...]
            }
            return BootArguments(
                arguments: Array(words.prefix(Int(counts.0))),
                environment: Array(words.dropFirst(Int(counts.0))))
        }
    }
}

extension IFS.Image {
    /// Largest boot program that is searched for its arguments, in bytes.
    private static let searchLimit = 64 << 20

    /// The command line left in the startup program; nil where there is none.
    public func startupArguments() throws(FormatError) -> IFS.BootArguments? {
        guard let startup, startup.startupSize > UInt32(IFS.StartupHeader.byteCount) else {
            return nil
        }
        let size = Int(clamping: startup.startupSize) &- IFS.StartupHeader.byteCount
        let area = try file.prefix(
            min(size, Self.searchLimit),
            at: headerOffset &+ UInt64(IFS.StartupHeader.byteCount))
        return IFS.BootArguments.find(
            in: area, startup.order, address: address(startup.ramAddress, startup))
    }

    /// The command line left in a bootstrap executable; nil where there is none.
    public func bootArguments(of entry: IFS.Dirent) throws(FormatError) -> IFS.BootArguments? {
        guard let startup, case .file(_, let size) = entry.kind, size <= Self.searchLimit else {
            return nil
        }
        // The startup of a split image holds the address in RAM, its bootstraps that in the image.
        return IFS.BootArguments.find(
            in: try data(of: entry), header.order,
            address: address(startup.imageAddress, startup))
    }

    /// The entries of the bootstrap executables, in start order; nil where an inode has no entry.
    public var bootEntries: [IFS.Dirent] {
        header.bootInodes.filter { $0 != 0 }.compactMap { inode in
            directory.entries.last { $0.inode == inode }
        }
    }

    /// Where the target has the startup header, by a physical address of it.
    private func address(_ base: UInt32, _ startup: IFS.StartupHeader) -> UInt64 {
        UInt64(base &+ startup.physicalBias) &+ startup.addressOffset
    }
}

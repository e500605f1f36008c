extension IFS.BootArguments {
    /// What a boot program has where its command line goes.
    public static let placeHolder = Array("ddpvbskr".utf8)

    /// How releases of mkifs write the entry.
    public enum Form: Sendable {
        /// Up to 7.x: the size counts a NUL behind the strings.
        case counted
        /// 8.0: the size is just that of the strings.
        case exact
    }

    /// The entry for a program of an image whose startup header the loader finds at `address`.
    /// Throws `unsupported` for more than a program reserves.
    public func entry(
        _ order: ByteOrder, address: UInt64, _ form: Form
    ) throws(FormatError) -> [UInt8] {
        let narrow = UInt32(exactly: address).flatMap { $0 == Self.wideAddress ? nil : $0 }
        var strings: [UInt8] = []
        for text in arguments + environment { strings += text + [0] }
        if form == .counted { strings.append(0) }
        if narrow == nil {
            let wide = (0..<8).map { UInt8(truncatingIfNeeded: address >> UInt64(8 * $0)) }
            strings += order == .little ? wide : wide.reversed()
        }
        let size = Self.headByteCount + strings.count
        guard size <= Self.maximumSize, let argumentCount = Int8(exactly: arguments.count),
            let variableCount = Int8(exactly: environment.count)
        else {
            throw .unsupported(
                Place("boot arguments", 0),
                found: "\(size) bytes of \(arguments.count + environment.count) strings",
                expected: "\(Self.maximumSize) bytes and 127 strings of a kind at most")
        }
        var entry = [UInt8](repeating: 0, count: Self.headByteCount)
        entry.write(UInt16(size), Field<UInt16>(0, "boot arguments.size"), to: 0, .little)
        entry.write(argumentCount, Field<Int8>(2, "boot arguments.argc"), to: 0, order)
        entry.write(variableCount, Field<Int8>(3, "boot arguments.envc"), to: 0, order)
        entry.write(
            narrow ?? Self.wideAddress, Field<UInt32>(4, "boot arguments.shdr_addr"), to: 0,
            order)
        return entry + strings
    }
}

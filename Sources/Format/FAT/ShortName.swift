extension FAT.DirectoryEntry {
    /// The short name as stored, `NAME.EXT` in UTF-8, without regard to the case bits; empty where
    /// the entry has only blanks.
    public func shortName(_ codePage: FAT.CodePage) -> [UInt8] {
        text(codePage, isLowerBase: false, isLowerExtension: false)
    }

    /// The short name as it is shown: in lower case where the case bits say so.
    public func shownShortName(_ codePage: FAT.CodePage) -> [UInt8] {
        text(
            codePage, isLowerBase: caseBits & Self.lowerBase != 0,
            isLowerExtension: caseBits & Self.lowerExtension != 0)
    }

    private func text(
        _ codePage: FAT.CodePage, isLowerBase: Bool, isLowerExtension: Bool
    ) -> [UInt8] {
        var base = Array(name.prefix(8))
        // 0xe5 marks a deleted entry, so that a name cannot begin with it.
        if base.first == 0x05 { base[0] = FAT.DirectoryEntry.deletedMark }
        var text = Self.text(base[...], codePage, isLower: isLowerBase)
        let end = Self.text(name.dropFirst(8), codePage, isLower: isLowerExtension)
        if !end.isEmpty { text += [UInt8(ascii: ".")] + end }
        return text
    }

    /// Up to a NUL and without the blanks at the end, as Linux `fs/fat/dir.c`, `fat_parse_short`.
    private static func text(
        _ bytes: ArraySlice<UInt8>, _ codePage: FAT.CodePage, isLower: Bool
    ) -> [UInt8] {
        var bytes = bytes.prefix { $0 != 0 }
        while bytes.last == 0x20 { bytes.removeLast() }
        var text: [UInt8] = []
        for byte in bytes {
            let scalar = codePage.scalar(byte)
            text += Array(String(isLower ? FAT.lowerCase(scalar) : scalar).utf8)
        }
        return text
    }

    /// The sum over the 11 bytes that the parts of its long name have. Source: the specification.
    public var nameSum: UInt8 {
        name.reduce(0) { sum, byte in (sum &<< 7 | sum &>> 1) &+ byte }
    }
}

extension FAT {
    /// The one character that a character is in lower case; itself where there is none or more.
    static func lowerCase(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        only(scalar.properties.lowercaseMapping) ?? scalar
    }

    /// A name for comparison: two names are the same to FAT if these are.
    ///
    /// Each character is taken in upper case where that is one character, and one of ASCII only for
    /// one of ASCII. Names that are no UTF-8 match in ASCII alone.
    static func folded(_ name: some Collection<UInt8>) -> [UInt8] {
        func upper(_ byte: UInt8) -> UInt8 {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte ? byte & 0xdf : byte
        }
        guard name.contains(where: { $0 >= 0x80 }),
            let text = String(validating: name, as: UTF8.self)
        else { return name.map(upper) }
        var folded: [UInt8] = []
        for scalar in text.unicodeScalars {
            let mapped = only(scalar.properties.uppercaseMapping) ?? scalar
            folded += Array(String(mapped.isASCII && !scalar.isASCII ? scalar : mapped).utf8)
        }
        return folded
    }

    private static func only(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        return scalars.dropFirst().isEmpty ? scalars.first : nil
    }
}

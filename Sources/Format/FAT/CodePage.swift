extension FAT {
    /// What bytes of short names stand for.
    ///
    /// Bytes up to 0x7f are ASCII in all. Source: Unicode's mapping tables `VENDORS/MICSFT/PC` and
    /// `WINDOWS`; what code page 1252 leaves open is the control character of the same number.
    public enum CodePage: String, Sendable, CaseIterable {
        /// United States; the default.
        case cp437 = "437"
        /// Western Europe, DOS.
        case cp850 = "850"
        /// Western Europe, Windows.
        case cp1252 = "1252"
        /// No byte above 0x7f means anything.
        case ascii = "ascii"

        /// The page by its number, with or without `cp` before it, or `ascii`.
        public init?(name: String) {
            self.init(rawValue: name.hasPrefix("cp") ? String(name.dropFirst(2)) : name)
        }

        /// The character of a byte; U+FFFD where the page has none.
        public func scalar(_ byte: UInt8) -> Unicode.Scalar {
            if byte < 0x80 { return Unicode.Scalar(byte) }
            let upper = upperHalf
            let index = Int(byte & 0x7f)
            return index < upper.count ? upper[index] : "\u{fffd}"
        }

        /// The byte of a character; nil where the page has none.
        public func byte(_ scalar: Unicode.Scalar) -> UInt8? {
            if scalar.isASCII { return UInt8(truncatingIfNeeded: scalar.value) }
            return upperHalf.firstIndex(of: scalar).map { UInt8(clamping: $0 &+ 0x80) }
        }

        private var upperHalf: [Unicode.Scalar] {
            switch self {
            case .cp437: Self.of437
            case .cp850: Self.of850
            case .cp1252: Self.of1252
            case .ascii: []
            }
        }

        private static let of437 = Array(
            ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
                + "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
                + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
                + "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}").unicodeScalars)

        private static let of850 = Array(
            ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ"
                + "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"
                + "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀"
                + "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}").unicodeScalars)

        private static let of1252 = Array(
            ("€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ"
                + "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿"
                + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
                + "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ").unicodeScalars)

    }
}

extension IFS {
    /// Whether files called so are usually images: `NAME.ifs`, `NAME.ifs.REST`, `ifs-REST`,
    /// `qnx-ifsREST`, `.boot`, `.altboot`, in capitals or not, for FAT may have no others.
    ///
    /// Source: the vendor's board support packages; `.boot` and `.altboot` are what the loaders of
    /// QNX 4 and 6 start.
    public static func isImageName(_ name: some Collection<UInt8>) -> Bool {
        let lower = name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        func begins(_ text: String) -> Bool { lower.starts(with: text.utf8) }
        if begins("ifs-") || begins("qnx-ifs") { return true }
        if lower.elementsEqual(".boot".utf8) || lower.elementsEqual(".altboot".utf8) { return true }
        // An ending is one only behind something.
        let parts = lower.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return lower.first != UInt8(ascii: ".")
            && parts.dropFirst().contains { $0.elementsEqual("ifs".utf8) }
    }
}

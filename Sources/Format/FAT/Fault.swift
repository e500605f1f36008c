extension FAT {
    /// Something in a volume that is not as it should be.
    public struct Fault: Equatable, Sendable, CustomStringConvertible {
        /// What is wrong; places count from the first byte of the volume.
        public let error: FormatError
        /// Where, what was found and what was expected, in one line.
        public var description: String { "\(error)" }

        init(_ place: Place, found: String, expected: String) {
            self.init(.corrupt(place, found: found, expected: expected))
        }

        init(_ error: FormatError) { self.error = error }
    }
}

extension FAT.Volume {
    /// Checks everything but the bytes of files: sectors and their copies, the tables, every chain and
    /// every entry. The list, of the first 1,000 faults, is empty for a volume as mkfs.fat makes it.
    public func check() -> [FAT.Fault] {
        var check = FAT.Check(self)
        check.run()
        return check.faults
    }
}

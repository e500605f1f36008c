extension IFS {
    /// Something in an image that is not as its maker leaves it.
    public struct Fault: Hashable, Sendable, CustomStringConvertible {
        /// Where, what was found and what was expected, in one line.
        public let description: String

        init(_ place: Place, found: String, expected: String) {
            self.init(.corrupt(place, found: found, expected: expected))
        }

        init(_ error: FormatError) { description = "\(error)" }
    }
}

extension IFS.Image {
    /// Checks every sum and every structure against the others. Reads the whole image; the list is
    /// empty for an image as mkifs makes it. Of each kind of fault in the directory, the first 1,000
    /// are told.
    ///
    /// Offsets count from the start of the file; inside a packed image, from its image header in
    /// what it unpacks to.
    public func check() -> [IFS.Fault] {
        var seen: Set<IFS.Fault> = []
        // One damaged place can be in the way of several checks.
        return
            (sumFaults() + startupFaults() + headerFaults() + directoryFaults()
            + scriptFaults()).filter { seen.insert($0).inserted }
    }

    /// What is added to an offset from the image header to tell where something stands.
    var origin: UInt64 { compression == .none && container == nil ? storedOffset : 0 }

    // MARK: Sums

    /// Sums that are wrong, and why bytes cannot be summed; but not that they are behind the end of
    /// the file, which is said once for all.
    private func sumFaults() -> [IFS.Fault] {
        checkSums().compactMap { check in
            guard case .bad(let stored, let computed) = check.verdict else { return nil }
            if case .truncated = check.error, missingByteCount > 0 { return nil }
            return check.error.map { IFS.Fault($0) }
                ?? IFS.Fault(place(of: check), found: stored, expected: computed)
        }
    }

    private func place(of check: IFS.SumCheck) -> Place {
        let end: UInt64
        switch check.region {
        case .startup: end = headerOffset &+ UInt64(startup?.startupSize ?? 0)
        case .image: end = origin &+ UInt64(header.imageSize)
        case .packed: end = self.end
        }
        let size = check.method == .cksum ? IFS.Trailer.checksumSize : IFS.Trailer.v2Size
        return Place(
            "\(check.region.rawValue) trailer.\(check.method.rawValue)", end &- UInt64(size))
    }

    // MARK: Headers

    /// What of the startup header contradicts the file.
    private func startupFaults() -> [IFS.Fault] {
        typealias At = IFS.StartupHeader.At
        var faults: [IFS.Fault] = []
        if missingByteCount > 0 {
            faults.append(
                IFS.Fault(
                    Place("end of the file", file.byteCount),
                    found: "\(missingByteCount) bytes of the image missing",
                    expected: "its end at \(hex(end))"))
        }
        guard let startup else { return faults }
        func fault(_ place: Place, _ found: UInt64, _ expected: String) {
            faults.append(
                IFS.Fault(place.moved(by: headerOffset), found: hex(found), expected: expected))
        }
        let stored = UInt64(startup.startupSize) &+ UInt64(startup.imagefsSize)
        if displacement > 0 {
            fault(
                At.startupSize.place(0), UInt64(startup.startupSize),
                "\(hex(storedOffset &- headerOffset)), where the image header stands")
        } else if compression == .none, UInt64(startup.storedSize) != stored {
            fault(
                At.storedSize.place(0), UInt64(startup.storedSize),
                "\(hex(stored)), startup_size + imagefs_size")
        }
        if UInt64(startup.prebootSize) > headerOffset {
            fault(
                At.prebootSize.place(0), UInt64(startup.prebootSize),
                "\(hex(headerOffset)) at most, the bytes before the header")
        }
        return faults
    }

    /// What of the image header contradicts the startup header or the directory.
    private func headerFaults() -> [IFS.Fault] {
        typealias At = IFS.ImageHeader.At
        var faults: [IFS.Fault] = []
        func fault(_ place: Place, _ found: String, _ expected: String) {
            faults.append(IFS.Fault(place.moved(by: origin), found: found, expected: expected))
        }
        if let startup, startup.order != header.order {
            fault(
                At.flags.place(0), "\(header.order.rawValue)-endian",
                "\(startup.order.rawValue)-endian, as the startup header")
        }
        if let startup, startup.imagefsSize != header.imageSize {
            fault(
                At.imageSize.place(0), hex(header.imageSize),
                "\(hex(startup.imagefsSize)), the startup header's imagefs_size")
        }
        if header.directoryOffset != header.strictDirectoryOffset {
            fault(
                At.directoryOffset.place(0), hex(header.directoryOffset),
                "\(hex(header.strictDirectoryOffset)), the end of the header")
        }
        let directoryEnd = UInt64(header.directoryOffset) &+ UInt64(directory.end) &+ 4
        if directory.broken == nil, UInt64(header.directoryEnd) != directoryEnd {
            fault(
                At.directoryEnd.place(0), hex(header.directoryEnd),
                "\(hex(directoryEnd)), the end of the directory")
        }
        for (index, inode) in header.bootInodes.enumerated() where !hasEntry(inode) {
            fault(At.bootInode(index).place(0), "inode \(hex(inode))", "one of the directory's")
        }
        if !hasEntry(header.scriptInode) {
            fault(
                At.scriptInode.place(0), "inode \(hex(header.scriptInode))",
                "one of the directory's")
        }
        return faults
    }

    /// Whether an inode number of the header is in the directory; 0 stands for none.
    private func hasEntry(_ inode: UInt32) -> Bool {
        inode == 0 || directory.entries.contains { $0.inode == inode }
    }

    // MARK: The script

    private func scriptFaults() -> [IFS.Fault] {
        guard let script, case .file(let offset, _) = script.kind else { return [] }
        do throws(FormatError) {
            let broken = IFS.Script(try scriptData()).broken
            return broken.map { [IFS.Fault($0.moved(by: origin &+ UInt64(offset)))] } ?? []
        } catch .truncated {
            // Said of the entry already: its data lies outside the image.
            return []
        } catch {
            return [IFS.Fault(error)]
        }
    }
}

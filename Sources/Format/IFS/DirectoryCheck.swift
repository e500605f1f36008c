extension IFS.Image {
    /// How many faults of a kind are told: a hostile directory can have half a million.
    private static let mostFaults = 1000
    /// How much of a path is told, in bytes: the longest that a target takes.
    private static let mostOfPath = 1023

    /// What is wrong in the directory and with the data that it names.
    func directoryFaults() -> [IFS.Fault] {
        var faults = (directory.skipped + (directory.broken.map { [$0] } ?? []))
            .map { IFS.Fault($0) }
        if header.flags & IFS.ImageHeader.sortedFlag != 0, !isSorted {
            faults.append(
                IFS.Fault(
                    IFS.ImageHeader.At.flags.place(0).moved(by: origin), found: "SORTED",
                    expected: "a directory that is sorted"))
        }
        faults += rootFaults() + treeFaults()
        let entries = directory.entries.filter { $0.inode != 0 }
        return faults + linkFaults(entries) + extentFaults(entries) + inodeFaults(entries)
    }

    /// Where a field of an entry's record stands.
    private func place<Value>(_ field: Field<Value>, of entry: IFS.Dirent) -> Place {
        field.place(Int(entry.recordOffset))
            .moved(by: origin &+ UInt64(header.directoryOffset))
    }

    private func name(_ entry: IFS.Dirent) -> String {
        let path = directory.path(of: entry)
        let isLong = path.count > Self.mostOfPath
        return "'\(printable(path.prefix(Self.mostOfPath)))'" + (isLong ? "..." : "")
    }

    // MARK: Order

    /// Whether paths ascend behind the root; the bootstrap executables may stand first, as the later
    /// of the 8.0 releases has them.
    private var isSorted: Bool {
        let paths = directory.entries
            .filter { !header.bootInodes.contains($0.inode) || $0.inode == 0 }
            .map { directory.path(of: $0) }
        return zip(paths, paths.dropFirst()).allSatisfy {
            $0.lexicographicallyPrecedes($1) || $0 == $1
        }
    }

    /// Whether the root comes first; not asked where records could not be read.
    private func rootFaults() -> [IFS.Fault] {
        guard directory.skipped.isEmpty, directory.broken == nil else { return [] }
        let first = directory.entries.first
        if let first, first.kind == .directory, directory.path(of: first).isEmpty { return [] }
        return [
            IFS.Fault(
                Place("image directory", origin &+ UInt64(header.directoryOffset)),
                found: first.map { "\(name($0)) first" } ?? "no entry",
                expected: "the root directory first")
        ]
    }

    // MARK: Names

    private func treeFaults() -> [IFS.Fault] {
        do throws(FormatError) {
            let findings = try IFS.ImageVolume(self, partial: true).findings
            return findings.prefix(Self.mostFaults).map(fault)
        } catch {
            return [IFS.Fault(error)]
        }
    }

    private func fault(_ finding: IFS.Finding) -> IFS.Fault {
        typealias At = IFS.Dirent.At
        let entry = finding.entry
        let path = Place(
            "dirent.path",
            origin &+ UInt64(header.directoryOffset) &+ UInt64(entry.path.range.lowerBound))
        let name = name(entry)
        switch finding.problem {
        case .oddName:
            return IFS.Fault(
                path, found: name, expected: "names of 1 to 255 bytes, neither '.' nor '..'")
        case .longPath:
            return IFS.Fault(
                path, found: "\(finding.path.count) bytes", expected: "1023 at most")
        case .belowFile:
            return IFS.Fault(
                path, found: name, expected: "nothing below an entry that is no directory")
        case .belowSymlink:
            return IFS.Fault(
                path, found: name, expected: "nothing below a symbolic link, which wins")
        case .duplicate:
            return IFS.Fault(
                path, found: name, expected: "one entry of that path; a later one wins")
        case .void:
            return IFS.Fault(
                place(At.inode, of: entry), found: "0, a void entry, for \(name)",
                expected: "a number")
        case .unknownType:
            return IFS.Fault(
                place(At.mode, of: entry), found: "\(hex(entry.mode)) for \(name)",
                expected: "a type that is known")
        case .outside:
            return IFS.Fault(
                place(At.fileOffset, of: entry), found: extentText(entry),
                expected: "an end at \(hex(min(UInt64(header.imageSize), contents.byteCount)))"
                    + " at most")
        }
    }

    /// Links whose stored length is not that of their target.
    private func linkFaults(_ entries: [IFS.Dirent]) -> [IFS.Fault] {
        let faults = entries.lazy.compactMap { entry -> IFS.Fault? in
            guard case .symlink(let target, let size) = entry.kind,
                Int(size) != target.range.count
            else { return nil }
            return IFS.Fault(
                place(IFS.Dirent.At.targetSize, of: entry), found: "\(size) for \(name(entry))",
                expected: "\(target.range.count), the length of its target")
        }
        return Array(faults.prefix(Self.mostFaults))
    }

    // MARK: Data

    /// Files whose bytes lie in the directory, in the trailer, or in another file.
    private func extentFaults(_ entries: [IFS.Dirent]) -> [IFS.Fault] {
        typealias At = IFS.Dirent.At
        let end = UInt64(header.imageSize)
        let extents = entries.compactMap { Extent($0) }
            .filter { $0.end <= min(end, contents.byteCount) }
            .sorted { ($0.start, $0.end) < ($1.start, $1.end) }
        var faults: [IFS.Fault] = []
        var last: Extent?
        for extent in extents where faults.count < Self.mostFaults {
            if extent.start < UInt64(header.directoryEnd) {
                faults.append(
                    IFS.Fault(
                        place(At.fileOffset, of: extent.entry), found: extentText(extent.entry),
                        expected: "a start at \(hex(header.directoryEnd)) or later, the end of"
                            + " the directory"))
            }
            let trailer = end &- min(end, UInt64(header.trailerSize))
            if extent.end > trailer {
                faults.append(
                    IFS.Fault(
                        place(At.fileOffset, of: extent.entry), found: extentText(extent.entry),
                        expected: "an end at \(hex(trailer)) at most, where the trailer starts"))
            }
            if let last, extent.start < last.end, !extent.equals(last) {
                faults.append(
                    IFS.Fault(
                        place(At.fileOffset, of: extent.entry), found: extentText(extent.entry),
                        expected: "a start at \(hex(last.end)) or later, the end of"
                            + " \(name(last.entry))"))
            }
            if extent.end > last?.end ?? 0 { last = extent }
        }
        return faults
    }

    private func extentText(_ entry: IFS.Dirent) -> String {
        guard let extent = Extent(entry) else { return name(entry) }
        return "\(name(entry)) from \(hex(extent.start)) to \(hex(extent.end))"
    }

    /// Entries that share their number with another and are no names of the same file.
    private func inodeFaults(_ entries: [IFS.Dirent]) -> [IFS.Fault] {
        let sorted = entries.sorted {
            ($0.number, $0.recordOffset) < ($1.number, $1.recordOffset)
        }
        let faults = zip(sorted, sorted.dropFirst()).lazy.compactMap {
            first, second -> IFS.Fault? in
            guard first.number == second.number, !first.isLinked(to: second) else { return nil }
            return IFS.Fault(
                place(IFS.Dirent.At.inode, of: second),
                found: "\(hex(second.inode)) for \(name(second))",
                expected: "a number of its own, not that of \(name(first))")
        }
        return Array(faults.prefix(Self.mostFaults))
    }
}

/// Where a file's bytes lie, from the image header on.
private struct Extent {
    let entry: IFS.Dirent
    let start: UInt64
    let end: UInt64

    /// The extent of an entry that is a file and not empty.
    init?(_ entry: IFS.Dirent) {
        guard case .file(let offset, let size) = entry.kind, size > 0 else { return nil }
        self.entry = entry
        start = UInt64(offset)
        end = UInt64(offset) &+ UInt64(size)
    }

    func equals(_ other: Extent) -> Bool { start == other.start && end == other.end }
}

extension IFS.Dirent {
    /// The inode number without its flag bits.
    fileprivate var number: UInt32 { inode & Self.inodeMask }

    /// Whether the two can be names of one file: with the same bytes, or both empty.
    fileprivate func isLinked(to other: Self) -> Bool {
        guard case .file(_, let size) = kind, case .file(_, let otherSize) = other.kind else {
            return false
        }
        return kind == other.kind || (size == 0 && otherSize == 0)
    }
}

extension IFS {
    /// Something in an image that is not as its maker leaves it.
    public struct Fault: Equatable, Sendable, CustomStringConvertible {
        /// Where, what was found and what was expected, in one line.
        public let description: String

        init(_ description: String) { self.description = description }

        init(_ error: FormatError) { description = "\(error)" }
    }
}

extension IFS.Image {
    /// Checks every sum and every structure against the others. Reads the whole image; the list is
    /// empty for an image as mkifs makes it.
    public func check() -> [IFS.Fault] {
        sumFaults() + extentFaults() + headerFaults() + directoryFaults() + scriptFaults()
    }

    private func sumFaults() -> [IFS.Fault] {
        checkSums().compactMap { check in
            guard case .bad(let stored, let computed) = check.verdict else { return nil }
            return IFS.Fault(
                "\(check.region.rawValue) \(check.method.rawValue): found \(stored),"
                    + " expected \(computed)")
        }
    }

    /// Sizes that contradict each other or the file.
    private func extentFaults() -> [IFS.Fault] {
        var faults: [IFS.Fault] = []
        if missingByteCount > 0 {
            faults.append(
                IFS.Fault(
                    "end of the image: found the end of the file at \(hex(file.byteCount)),"
                        + " expected \(hex(end))"))
        }
        if displacement > 0 {
            faults.append(
                IFS.Fault(
                    "image header: found at \(hex(storedOffset)),"
                        + " expected at \(hex(storedOffset &- displacement)), where the startup ends"
                ))
        }
        if let startup, startup.imagefsSize != header.imageSize {
            faults.append(
                IFS.Fault(
                    "image header.image_size: found \(hex(header.imageSize)),"
                        + " expected \(hex(startup.imagefsSize)), the startup header's"))
        }
        return faults
    }

    private func headerFaults() -> [IFS.Fault] {
        var faults: [IFS.Fault] = []
        if header.directoryOffset != header.strictDirectoryOffset {
            faults.append(
                IFS.Fault(
                    "image header.dir_offset: found \(hex(header.directoryOffset)),"
                        + " expected \(hex(header.strictDirectoryOffset))"))
        }
        if let startup, startup.order != header.order {
            faults.append(
                IFS.Fault(
                    "image header.flags: found \(header.order.rawValue)-endian,"
                        + " expected \(startup.order.rawValue)-endian, as the startup header"))
        }
        for inode in header.bootInodes + [header.scriptInode] where inode != 0 {
            if !directory.entries.contains(where: { $0.inode == inode }) {
                faults.append(
                    IFS.Fault(
                        "image header: found inode \(hex(inode)), expected one of the directory's"))
            }
        }
        return faults
    }

    private func directoryFaults() -> [IFS.Fault] {
        let origin = UInt64(header.directoryOffset)
        var faults = (directory.skipped + (directory.broken.map { [$0] } ?? []))
            .map { IFS.Fault($0.moved(by: origin)) }
        if header.flags & IFS.ImageHeader.sortedFlag != 0, !isSorted {
            faults.append(
                IFS.Fault("image header.flags: found SORTED, expected a directory that is sorted"))
        }
        do throws(FormatError) {
            let volume = try IFS.ImageVolume(self, partial: true)
            faults += volume.findings.map { IFS.Fault($0.description) }
        } catch {
            faults.append(IFS.Fault(error))
        }
        return faults
    }

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

    private func scriptFaults() -> [IFS.Fault] {
        guard script != nil else { return [] }
        do throws(FormatError) {
            return IFS.Script(try scriptData()).broken.map { [IFS.Fault($0)] } ?? []
        } catch {
            return [IFS.Fault(error)]
        }
    }
}

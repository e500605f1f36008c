extension Disk {
    /// Something on a disk that is not as its maker leaves it.
    public struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// The index of the part that it is in; nil for the table, and outside all partitions.
        public let part: Int?
        /// Where, what was found and what was expected, in one line. Places count from the first byte
        /// of the disk; inside a packed image, from the header in what it unpacks to.
        public let description: String
    }

    /// Checks the table, every file system, and every image that is in none. `source` is what the disk
    /// was found in. The list is empty for a disk as its makers leave it.
    public func check(in source: any ByteSource) -> [Finding] {
        var findings = (table?.check(in: source) ?? []).map {
            Finding(part: nil, description: "\($0)")
        }
        for (index, part) in parts.enumerated() {
            findings += part.check().map { Finding(part: index, description: "\($0)") }
        }
        do throws(FormatError) {
            findings += Self.findings(in: try images(in: source, searchesFiles: false))
        } catch {
            findings.append(Finding(part: nil, description: "\(error)"))
        }
        return findings
    }

    /// What is wrong with images; of several in a part, with the number of each there.
    private static func findings(in images: InnerImages) -> [Finding] {
        let counts = images.found.reduce(into: [Int?: Int]()) { $0[$1.part, default: 0] += 1 }
        var numbers: [Int?: Int] = [:]
        return images.found.flatMap { inner in
            numbers[inner.part, default: 0] += 1
            let lead =
                counts[inner.part, default: 0] > 1
                ? "image \(numbers[inner.part, default: 0]): " : ""
            return inner.image.check().map { fault in
                Finding(part: inner.part, description: "\(lead)\(fault)")
            }
        }
    }
}

extension Disk.Part {
    /// What is wrong with the file system; images are checked where they are found.
    fileprivate func check() -> [FormatError] {
        if let failure { return [failure] }
        if let missingFileSystem { return [missingFileSystem] }
        let found: [FormatError] =
            switch kind {
            case .fat12, .fat16, .fat32: (volume as? FAT.Volume)?.check().map(\.error) ?? []
            case .qnx6: QNX6Check.findings(in: bytes)
            case .qnx4: QNX4Check.findings(in: bytes)
            case .ifs, nil: []
            }
        return found.map { $0.moved(by: bytes.start) }
    }
}

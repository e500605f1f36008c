internal import Format

/// What stands around an image in its file, as far as it depends on the image.
struct Surroundings {
    /// Numbers before the image that tell where it ends.
    private(set) var endFields: [IFS.EndField] = []

    private let image: IFS.Image

    /// Looks at the bytes of the file that are in `range`. Throws `refused` for what a change would
    /// make wrong and that cannot be changed with it, unless forced.
    init(
        _ image: IFS.Image, _ range: Range<UInt64>, isForced: Bool
    ) throws(MkifsError) {
        self.image = image
        do throws(FormatError) {
            if range.lowerBound == 0, image.headerOffset > 0 {
                let wrapper = try IFS.Wrapper(image.file)
                if wrapper == .elf { endFields = try sizesInELF() }
                if let wrapper, endFields.isEmpty, !isForced { throw .refused(in: wrapper) }
            }
            let end = image.plainEnd
            let last = min(range.upperBound, image.file.byteCount)
            if !isForced, end < last, try !isBlank(end..<last) {
                throw FormatError.unsupported(
                    Place("file", end), found: "\(last &- end) bytes behind the image",
                    expected: "none, as a change of the image can make them wrong: a signature, or"
                        + " another image")
            }
        } catch {
            throw .format(error)
        }
    }

    /// Whether bytes are what flash memory or a partition has where nothing was written.
    private func isBlank(_ range: Range<UInt64>) throws(FormatError) -> Bool {
        let blank = try image.file.bytes(1, at: range.lowerBound, "file")[0]
        guard blank == 0 || blank == 0xff else { return false }
        var position = range.lowerBound
        while position < range.upperBound {
            let step = min(range.upperBound &- position, 1 << 20)
            let piece = try image.file.bytes(step, at: position, "file")
            guard piece.allSatisfy({ $0 == blank }) else { return false }
            position &+= step
        }
        return true
    }

    // MARK: ELF

    /// The sizes in an ELF file whose one segment ends with the image, as mkifsf_elf makes it; none
    /// in another.
    private func sizesInELF() throws(FormatError) -> [IFS.EndField] {
        let source = WindowSource(image.file, from: 0, count: image.plainEnd)
        guard let head = ELF.Header(try source.prefix(ELF.Header.sampleByteCount, at: 0)) else {
            return []
        }
        var fields: [IFS.EndField] = []
        func add(_ offset: UInt64, _ value: UInt64) {
            fields.append(
                IFS.EndField(
                    at: offset, isWide: head.is64Bit, head.order, from: image.plainEnd &- value))
        }
        let loads = head.segments.enumerated().filter { isAroundImage($1) }
        guard loads.count == 1, let (index, load) = loads.first.map({ ($0.offset, $0.element) })
        else { return [] }
        let row = head.programHeaderOffset &+ UInt64(head.programHeaderSize) &* UInt64(index)
        add(row &+ (head.is64Bit ? 32 : 16), load.fileSize)
        add(row &+ (head.is64Bit ? 40 : 20), load.memorySize)
        for (index, section) in try head.sections(in: source).enumerated()
        where section.offset == load.offset && section.size == load.fileSize {
            let row = head.sectionHeaderOffset &+ UInt64(head.sectionHeaderSize) &* UInt64(index)
            add(row &+ (head.is64Bit ? 32 : 20), section.size)
        }
        return fields.allSatisfy { $0.offset &+ 8 <= image.headerOffset } ? fields : []
    }

    private func isAroundImage(_ segment: ELF.Header.Segment) -> Bool {
        let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
        return segment.type == ELFFile.SegmentType.load && !overflow && end == image.plainEnd
            && segment.offset <= image.headerOffset
    }
}

extension IFS.Image {
    /// Where the bytes of the image end in its file, its outer trailer included.
    fileprivate var plainEnd: UInt64 {
        compression == .none ? storedOffset &+ UInt64(header.imageSize) : end
    }
}

extension FormatError {
    fileprivate static func refused(in wrapper: IFS.Wrapper) -> FormatError {
        .unsupported(
            Place("file", 0), found: "an image in a file of type \(wrapper.rawValue)",
            expected: "none around it, or an ELF file whose segment ends with the image")
    }
}

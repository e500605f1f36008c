/// Opens the parts of one disk, within bounds that hold for all of them together: a table can name a
/// great many partitions that lie one over the other.
struct DiskOpener {
    private var options: Disk.Options
    private let caches: VolumeCaches
    private var count = 0
    /// Bytes of partitions that may still be opened: at first four times what there is.
    private var room: UInt64
    /// Blocks that may still be unpacked behind headers that turn out false.
    private var patience = IFS.Scanner.usualPatience

    /// What is searched of each partition that nobody knows: less than usual where there are many, so
    /// that what is read of all of them together is 64 MiB.
    private let reach: UInt64

    /// For a disk of so many bytes, with parts of these kinds.
    init(_ kinds: [FileSystemKind?], _ byteCount: UInt64, _ options: Disk.Options) {
        self.options = options
        let images = max(1, kinds.count { $0 == nil })
        reach = max(64 << 10, min(IFS.Scanner.usualReach, (64 << 20) / UInt64(images)))
        self.options.image.cacheLimit = options.image.cacheLimit / images
        caches = VolumeCaches(volumeCount: kinds.count)
        room = byteCount.multipliedReportingOverflow(by: 4).overflow ? .max : byteCount &* 4
    }

    /// What begins with the first byte, or why that cannot be read.
    static func kind(in bytes: WindowSource) -> Result<FileSystemKind?, FormatError> {
        do throws(FormatError) {
            return .success(try FileSystemKind.found(in: bytes))
        } catch {
            return .failure(error)
        }
    }

    /// A part whose kind was looked for.
    mutating func part(
        _ partition: Partition?, _ found: Result<FileSystemKind?, FormatError>,
        _ bytes: WindowSource
    ) -> Disk.Part {
        var (kind, volume, label) = (FileSystemKind?.none, (any Volume)?.none, [UInt8]())
        var failure: FormatError?
        do throws(FormatError) {
            kind = try found.get()
            try takeRoom(bytes)
            (kind, volume, label) = try open(kind, bytes)
        } catch {
            failure = error.moved(by: bytes.start)
        }
        return Disk.Part(
            partition: partition, kind: kind, volume: volume, failure: failure,
            cutOff: (volume as? any SizedVolume)?.cutOff?.moved(by: bytes.start), label: label,
            bytes: bytes)
    }

    private mutating func takeRoom(_ bytes: WindowSource) throws(FormatError) {
        guard bytes.byteCount <= room else {
            throw .unsupported(
                Place("partition", 0), found: "\(bytes.byteCount) bytes that others have too",
                expected: "partitions that do not overlap")
        }
        room &-= bytes.byteCount
        count &+= 1
    }

    private mutating func open(
        _ kind: FileSystemKind?, _ bytes: WindowSource
    ) throws(FormatError) -> (FileSystemKind?, (any Volume)?, [UInt8]) {
        let share = VolumeCaches.Share(caches, volume: count)
        switch kind {
        case .fat12, .fat16, .fat32:
            let volume = try FAT.Volume(bytes, options.fat, share)
            // Whoever lists a root that cannot be read is told.
            return (kind, volume, (try? volume.label()) ?? [])
        case .qnx6:
            let volume = try QNX6Volume(bytes, share)
            return (kind, volume, volume.superblock.printableIdentifier ?? [])
        case .qnx4: return (kind, try QNX4Volume(bytes, share), [])
        case .ifs, nil:
            var scanner = IFS.Scanner(
                bytes, from: 0, reach: reach, patience: patience, options.image)
            defer { patience = scanner.patience }
            guard let image = try scanner.next() else { return (nil, nil, []) }
            return (.ifs, try IFS.ImageVolume(image), [])
        }
    }
}

public import Format

extension Plan {
    /// The plan of an image that was read: laid out, it is the same image.
    ///
    /// Everything that has bytes is fixed, and is read from the image when it is needed. `range` says
    /// which bytes of the file the plan takes in besides the image: what stands there before it
    /// becomes the prefix, what stands behind it the tail. Throws `format` for an image that a plan
    /// cannot give back byte for byte, such as one in a container or with broken records. Sums are
    /// computed anew, and so is a packed stream: that of another packer comes out as good, and may be
    /// longer or shorter.
    public init(
        _ image: IFS.Image, within range: Range<UInt64> = 0..<UInt64.max
    ) throws(MkifsError) {
        do throws(FormatError) {
            try self.init(reading: image, range)
        } catch {
            throw .format(error)
        }
    }

    private init(
        reading image: IFS.Image, _ range: Range<UInt64>
    ) throws(FormatError) {
        try Self.requireRestorable(image)
        let header = image.header
        let entries = try image.planEntries()
        guard let root = entries.first else { throw Self.noRoot(image) }
        let hasLaterMarks =
            header.flags & (IFS.ImageHeader.sortedFlag | IFS.ImageHeader.trailerV2Flag) != 0
        self.init(hasLaterMarks ? .v80 : .v70, header.order, root: root)
        self.header = Header(header)
        self.entries = Array(entries.dropFirst())
        keepsOrder = header.flags & IFS.ImageHeader.sortedFlag == 0 || !isInOrderOfPaths
        encoding = IFS.Encoding(image.compression)
        let data = DataMap(&self.entries, of: image)
        remains = try data.remains()
        addSurroundings(of: image, range)
    }

    /// Throws what a plan of the image would, its bytes aside, without making one.
    static func check(_ image: IFS.Image) throws(MkifsError) {
        do throws(FormatError) {
            try requireRestorable(image)
        } catch {
            throw .format(error)
        }
    }

    /// Throws for what a plan cannot hold.
    private static func requireRestorable(_ image: IFS.Image) throws(FormatError) {
        let directory = image.directory
        if let fault = directory.broken ?? directory.skipped.first { throw fault }
        guard image.container == nil, image.displacement == 0 else {
            throw .unsupported(
                Place("image", image.headerOffset), found: "an image in a container",
                expected: "one that follows its startup")
        }
        guard image.missingByteCount == 0 else {
            throw .truncated(
                Place("image", image.headerOffset), needed: image.end &- image.headerOffset,
                available: image.file.byteCount &- image.headerOffset)
        }
        let stored = try image.contents.bytes(
            UInt64(image.header.directoryOffset), at: 0, "image header")
        guard image.header.bytes == stored else {
            throw .unsupported(
                Place("image header", image.storedOffset),
                found: "bytes behind the mount point", expected: "zeros up to dir_offset")
        }
        guard let root = directory.entries.first, directory.path(of: root).isEmpty,
            case .directory = root.kind
        else { throw noRoot(image) }
        if let odd = directory.entries.first(where: { !$0.isRestorable }) {
            throw image.odd(odd)
        }
    }

    private static func noRoot(_ image: IFS.Image) -> FormatError {
        .unsupported(
            Place("root dirent", UInt64(image.header.directoryOffset)), found: "another entry",
            expected: "the root, which comes first")
    }

    private var isInOrderOfPaths: Bool {
        zip(entries, entries.dropFirst()).allSatisfy {
            $0.path.lexicographicallyPrecedes($1.path)
        }
    }

    // MARK: Startup, prefix and tail

    private mutating func addSurroundings(of image: IFS.Image, _ range: Range<UInt64>) {
        let first = min(range.lowerBound, image.headerOffset)
        let before = image.headerOffset &- first
        prefix = .source(WindowSource(image.file, from: first, count: before))
        notLoaded = before
        if let startup = image.startup {
            let loaded = min(before, UInt64(startup.prebootSize))
            notLoaded = before &- loaded
            addAddresses(of: startup, loaded: loaded)
            let head = UInt64(IFS.StartupHeader.byteCount)
            let area = UInt64(startup.startupSize) &- UInt64(startup.trailerSize)
            let program = WindowSource(
                image.file, from: image.headerOffset &+ head, count: area &- min(area, head))
            self.startup = .stored(startup, .source(program))
        }
        let end =
            image.compression == .none
            ? image.storedOffset &+ UInt64(image.header.imageSize) : image.end
        let last = min(range.upperBound, image.file.byteCount)
        tail = .source(WindowSource(image.file, from: end, count: last &- min(last, end)))
    }

    /// Where the image lies: what is added to it later is made for there.
    private mutating func addAddresses(of startup: IFS.StartupHeader, loaded: UInt64) {
        physicalBias = 0 &- UInt64(bitPattern: Int64(Int32(bitPattern: startup.physicalBias)))
        func address(_ physical: UInt32) -> UInt64 {
            startup.addressOffset &+ UInt64(physical &+ startup.physicalBias) &- loaded
        }
        range.start = address(startup.imageAddress)
        guard header.flags.map({ $0 & IFS.ImageHeader.readOnlyFlag != 0 }) == true,
            encoding.compression == .none
        else { return }
        ram = AddressRange()
        ram?.start = address(startup.ramAddress)
    }
}

extension Plan.Header {
    /// All values of an image's header.
    fileprivate init(_ header: IFS.ImageHeader) {
        self.init()
        mountpoint = header.mountpoint
        chain = header.chainAddress
        flags = header.flags
        bootInodes = header.bootInodes
        scriptInode = header.scriptInode
        spare = header.spare.contains { $0 != 0 } ? header.spare : nil
        mountFlags = header.mountFlags
        directoryOffset = header.directoryOffset
        directoryEnd = header.directoryEnd
        imageSize = header.imageSize
    }
}

extension IFS.Image {
    /// All entries of the directory, the root included; files as extents at their places. Throws for
    /// a record that would come out different.
    fileprivate func planEntries() throws(FormatError) -> [Plan.Entry] {
        var entries: [Plan.Entry] = []
        entries.reserveCapacity(directory.entries.count)
        for entry in directory.entries {
            guard let record = IFS.DirectoryRecord(entry, in: directory) else {
                throw odd(entry)
            }
            entries.append(Plan.Entry(record))
        }
        return entries
    }

    /// What there is to say of a record that a plan cannot hold.
    fileprivate func odd(_ entry: IFS.Dirent) -> FormatError {
        .unsupported(
            Place("dirent", UInt64(header.directoryOffset) &+ UInt64(entry.recordOffset)),
            found: "a record of mode \(hex(entry.mode)) that mkifs does not write",
            expected: "one of a known type, its texts one behind the other")
    }
}

extension Plan.Entry {
    fileprivate init(_ record: IFS.DirectoryRecord) {
        let kind: Plan.Kind
        var place = Plan.Location.free
        switch record.body {
        case .file(let offset, let size):
            kind = .extent(byteCount: size)
            place = .fixed(UInt64(offset))
        case .directory: kind = .directory
        case .symlink(let target): kind = .symlink(target: target, library: nil)
        case .device(let device, let rawDevice):
            kind = .device(device: device, rawDevice: rawDevice)
        }
        self.init(
            record.path, kind, mode: record.mode, inode: record.inode, user: record.user,
            group: record.group, modified: record.modified)
        self.place = place
        extendedAttributes = record.extendedAttributes
        padding = record.padding
    }
}

internal import Format

/// Decides what a plan leaves open: links programs for their addresses, gives every file its place,
/// and computes the headers.
///
/// Offsets count from the image's address, which is that of the loaded boot prefix. Source: the
/// golden images of 6.4, which come out byte for byte.
public struct Layout {
    let plan: Plan
    let profile: Profile
    let toolbox: Toolbox
    private(set) var places: [Placed] = []
    /// Where bootstrap executables run; nil for where they lie.
    private var bootAddress: UInt64?
    /// Bytes of RAM that a split image uses so far.
    private var ramUsed: UInt64 = 0

    /// One entry in its place.
    struct Placed {
        /// Index into the plan's entries.
        let entry: Int
        /// From the image's address.
        var offset: UInt64 = 0
        /// What is stored there.
        var contents: any ByteSource = MemorySource([])
        /// What the record says where the bytes are not the entry's own.
        var extent: UInt64?
        var isLinked = false
        var isRunOnce = false
        var entryAddress: UInt64?
        var ramOffset: UInt64?

        var byteCount: UInt64 { extent ?? contents.byteCount }
        var end: UInt64 { offset &+ contents.byteCount }
    }

    /// Lays out a plan. Throws for everything that can be wrong with the image: what comes behind
    /// can fail by reading and writing only.
    public static func image(
        of plan: Plan, _ toolbox: Toolbox
    ) throws(MkifsError) -> LaidOutImage {
        var layout = Layout(plan: plan, toolbox: toolbox)
        return try layout.image()
    }

    /// The furthest place where a directory may begin, from the image header.
    private static let directoryOffsetLimit: UInt32 = 1 << 20

    private init(plan: Plan, toolbox: Toolbox) {
        self.plan = plan
        self.toolbox = toolbox
        profile = Profile(plan.release)
        bootAddress = plan.bootAddress?.address
    }

    // MARK: What is given

    var base: UInt64 { plan.range.start ?? 0 }
    var isSplit: Bool { plan.ram != nil }
    /// Where what is copied to RAM before anything runs begins.
    var runBase: UInt64 { plan.ram.map { $0.start ?? 0 } ?? base }
    var trailerSize: Int { profile.hasDigests ? IFS.Trailer.v2Size : IFS.Trailer.checksumSize }

    private mutating func image() throws(MkifsError) -> LaidOutImage {
        if isSplit, plan.encoding.compression != .none {
            throw .limit("compress", "a split image, one with RAM of its own, cannot be compressed")
        }
        let prefix = try toolbox.source(of: plan.prefix)
        let loaded = prefix.byteCount &- min(prefix.byteCount, plan.notLoaded)
        let start = try startup(behind: loaded)
        let head = try directoryHead()
        let imageOffset = start.map { loaded &+ UInt64($0.header.startupSize) } ?? 0
        let dataStart = imageOffset &+ UInt64(head.end)
        ramUsed = imageOffset
        if plan.bootAddress?.isAboveImage == true {
            bootAddress = bootAddress.map { $0 &+ dataStart }
        }
        let end = try place(from: dataStart, imageOffset: imageOffset, loaded: loaded)
        let size = try size(end: end, imageOffset: imageOffset)
        return try LaidOutImage(
            self, prefix: prefix, loaded: loaded, startup: start, head: head,
            imageOffset: imageOffset, imageSize: size, ramUsed: ramUsed)
    }

    // MARK: Startup

    /// The startup area; nil for an image that nothing boots.
    private func startup(behind loaded: UInt64) throws(MkifsError) -> StartupArea? {
        switch plan.startup {
        case nil: nil
        case .stored(let header, let content):
            try StartupArea(stored: header, program: try toolbox.source(of: content))
        case .program(let executable):
            try StartupArea(
                executable, self, runAddress: runBase &+ loaded, behind: loaded)
        }
    }

    // MARK: Directory

    /// Where the directory begins and where it ends, from the image header.
    private func directoryHead() throws(MkifsError) -> (start: UInt32, end: UInt32) {
        let least = (IFS.ImageHeader.fixedByteCount + plan.header.mountpoint.count + 1 + 3) & ~3
        let start = plan.header.directoryOffset ?? UInt32(clamping: least)
        guard Int(start) >= least - 3, start <= Self.directoryOffsetLimit else {
            throw .refused(
                "directory offset: found \(hex(start)), expected \(hex(least)) through"
                    + " \(hex(Self.directoryOffsetLimit))")
        }
        var end = UInt64(start) &+ (try recordSize(plan.root))
        for entry in plan.entries { end &+= try recordSize(entry) }
        if let known = plan.header.directoryEnd, known >= end { return (start, known) }
        // The end mark is a record of size 0.
        guard let whole = UInt32(exactly: end &+ 4) else {
            throw .refused("image directory: found \(end) bytes, expected less than 4 GiB")
        }
        return (start, whole)
    }

    private func recordSize(_ entry: Plan.Entry) throws(MkifsError) -> UInt64 {
        if let fault = entry.recordFault { throw .refused(fault) }
        return UInt64(entry.recordSize)
    }

    // MARK: Files

    /// Gives every entry its place; returns where the last one ends.
    private mutating func place(
        from start: UInt64, imageOffset: UInt64, loaded: UInt64
    ) throws(MkifsError) -> UInt64 {
        let fixed = plan.entries.indices.filter { plan.entries[$0].isFixed }
        var end = start
        for index in fixed {
            guard case .fixed(let offset) = plan.entries[index].place else { continue }
            let placed = try placed(index, at: imageOffset &+ offset, loaded: loaded)
            if placed.contents.byteCount > 0 { end = max(end, placed.end) }
            places.append(placed)
        }
        for remain in plan.remains {
            let count = try toolbox.source(of: remain.content).byteCount
            end = max(end, imageOffset &+ remain.offset &+ count)
        }
        if fixed.count < plan.entries.count { end = try placeRest(from: end, loaded: loaded) }
        if plan.keepsOrder { places.sort { $0.entry < $1.entry } }
        return end
    }

    /// Places all entries that are not fixed, from an offset on.
    private mutating func placeRest(
        from start: UInt64, loaded: UInt64
    ) throws(MkifsError) -> UInt64 {
        var placement = IFS.Placement(from: start, base: base)
        var group = GroupBlock()
        var found: [Int: Placed] = [:]
        var others: [(entry: Int, size: UInt64)] = []
        for (index, entry) in plan.entries.enumerated() {
            switch entry.place {
            case .fixed: continue
            case .free:
                let placed = try placed(index, at: 0, loaded: loaded)
                found[index] = placed
                others.append((index, placed.contents.byteCount))
            case .inOrder(let unit, let blockSize):
                var offset = placement.next(unit: unit)
                if let blockSize, blockSize > 0 {
                    offset = try group.offset(
                        for: size(of: index), from: offset, unit: unit, blockSize, base: base)
                } else if blockSize == nil {
                    group = GroupBlock()
                }
                let placed = try placed(index, at: offset, loaded: loaded)
                placement.append(index, at: offset, size: placed.contents.byteCount)
                found[index] = placed
            }
        }
        let (order, end) = placement.filled(with: others)
        for place in order {
            guard var placed = found[place.entry] else { continue }
            placed.offset = place.offset
            places.append(placed)
        }
        return max(end, start)
    }

    /// Bytes of an entry's data before it is linked.
    private func size(of index: Int) throws(MkifsError) -> UInt64 {
        guard case .program(let program) = plan.entries[index].kind else { return 0 }
        let source = try toolbox.source(of: program.content)
        do throws(FormatError) {
            return try ELFLayout(
                try ELFFile(source), rules(of: program), runAddress: 0, inAdvance: true
            ).size
        } catch {
            throw .file(program.content.name, error)
        }
    }

    private mutating func placed(
        _ index: Int, at offset: UInt64, loaded: UInt64
    ) throws(MkifsError) -> Placed {
        var placed = Placed(entry: index, offset: offset)
        switch plan.entries[index].kind {
        case .file(let content): placed.contents = try toolbox.source(of: content)
        case .extent(let byteCount): placed.extent = UInt64(byteCount)
        case .program(let program):
            try lay(program, in: &placed, loaded: loaded)
        case .hardLink, .directory, .symlink, .device: break
        }
        guard placed.contents.byteCount <= UInt64(UInt32.max) else {
            throw .refused(
                "'\(printable(plan.entries[index].path))': found \(placed.contents.byteCount)"
                    + " bytes, expected less than 4 GiB")
        }
        return placed
    }

    // MARK: Programs

    func rules(of program: Plan.Program) -> ELFLayout.Rules {
        var rules = program.rules
        rules.dialect = profile.elf
        rules.isSplit = isSplit
        rules.isBootstrap = program.arguments != nil
        rules.hasBootAddress = plan.bootAddress != nil
        rules.pageSize = plan.pageSize
        return rules
    }

    /// Links a program for its place, and lays it out there.
    private mutating func lay(
        _ program: Plan.Program, in placed: inout Placed, loaded: UInt64
    ) throws(MkifsError) {
        let rules = rules(of: program)
        let isBootstrap = rules.isBootstrap
        var run = base &+ placed.offset
        if isBootstrap, let bootAddress { run = bootAddress.rounded(up: plan.pageSize) }
        var source: any ByteSource
        if let link = program.link {
            var addresses = Toolbox.Addresses(
                header: run, text: run &+ plan.pageSize, kind: isBootstrap ? .bootstrap : .other,
                pageSize: plan.pageSize)
            if isBootstrap, isSplit {
                addresses.data = runBase &+ ramUsed.rounded(down: plan.pageSize)
            }
            source = try toolbox.linked(program.content, link, addresses)
            placed.isLinked = true
        } else {
            source = try toolbox.source(of: program.content)
        }
        do throws(FormatError) {
            if let arguments = program.arguments {
                source = try arguments.replacingPlaceHolder(
                    in: source, plan.order, address: base &+ loaded, profile.bootArguments)
            }
            let file = try ELFFile(source)
            if isBootstrap, bootAddress == nil, rules.usesCodeInPlace {
                try Self.require(file, from: run)
            }
            let advance = try ELFLayout(
                file, rules, runAddress: isBootstrap ? run : 0,
                inAdvance: profile.elf.measuresInAdvance)
            let place = base &+ placed.offset
            let layout = try ELFLayout(
                file, rules, runAddress: isBootstrap ? run : place, inAdvance: false)
            // At a place that is no page's, what is used in place can reach beyond that size.
            placed.contents = try layout.contents(
                of: file, size: max(advance.size, layout.size),
                physicalAddress: place &+ plan.physicalBias)
            placed.isRunOnce = advance.isRunOnce
            placed.entryAddress = file.header.entry
            if isBootstrap {
                if bootAddress != nil {
                    bootAddress = run &+ advance.size.rounded(up: plan.pageSize)
                }
                if isSplit {
                    placed.ramOffset = ramUsed
                    ramUsed &+= advance.copiedWritableSize
                }
            }
        } catch {
            throw .file(program.content.name, error)
        }
    }

    /// The code of a bootstrap executable that runs where it lies is linked for no place before it;
    /// what is written as well can be elsewhere, in RAM.
    private static func require(_ file: ELFFile, from run: UInt64) throws(FormatError) {
        for segment in file.header.segments {
            let isCode =
                segment.type == ELFFile.SegmentType.load
                && segment.flags & ELFFile.SegmentFlag.execute != 0
                && segment.flags & ELFFile.SegmentFlag.write == 0
            guard isCode, segment.virtualAddress < run else { continue }
            throw .unsupported(
                Place("ELF segment", segment.offset),
                found: "an address of \(hex(segment.virtualAddress))",
                expected: "\(hex(run)) or higher, where the file runs")
        }
    }

    // MARK: Sizes

    /// Bytes from the image header to the end of its trailer.
    private func size(end: UInt64, imageOffset: UInt64) throws(MkifsError) -> UInt32 {
        let trailer = plan.header.flags.map(IFS.ImageHeader.trailerSize) ?? trailerSize
        if let size = plan.header.imageSize,
            imageOffset &+ UInt64(size) >= end &+ UInt64(trailer)
        {
            return size
        }
        let needed = end.rounded(up: 4) &+ UInt64(trailer)
        let total = plan.range.totalSize ?? 0
        if total > 0, needed > total {
            throw .limit(
                "image",
                "image size of \(hex(needed)) bytes exceeds the total size of \(hex(total))")
        }
        let length = max(needed, total).rounded(up: plan.range.effectiveAlignment)
        try check(plan.range, "image", of: "image", length)
        guard let size = UInt32(exactly: length &- imageOffset) else {
            throw .refused("image: found \(length) bytes, expected less than 4 GiB")
        }
        return size
    }

    /// Holds the length of an area against its limits.
    func check(
        _ range: AddressRange, _ name: String, of attribute: String, _ length: UInt64
    ) throws(MkifsError) {
        if let maximum = range.maximumSize, length > maximum {
            throw .limit(
                attribute,
                "\(name) area of \(hex(length)) bytes exceeds \(hex(maximum)) maximum size")
        }
        let (last, overflow) = (range.start ?? 0).addingReportingOverflow(length)
        if let end = range.end, overflow || last > end {
            throw .limit(
                attribute,
                "\(name) area of \(hex(length)) bytes from \(hex(range.start ?? 0)) on exceeds"
                    + " \(hex(end)) end address")
        }
    }
}

/// A block of a group of files that share it.
private struct GroupBlock {
    private var size: UInt64 = 0
    private var end: UInt64 = 0

    /// Where the next file of the group goes: into the block as long as it fits, else into a new
    /// one. All but `base` counts from there.
    mutating func offset(
        for bytes: UInt64, from start: UInt64, unit: UInt64, _ blockSize: UInt64, base: UInt64
    ) -> UInt64 {
        if size == blockSize, start &+ bytes <= end { return start }
        let offset = (base &+ start).rounded(up: blockSize) &- base
        size = blockSize
        end = offset &+ max(bytes, 1).rounded(up: blockSize)
        return offset
    }
}

extension Plan.Entry {
    var isFixed: Bool {
        if case .fixed = place { true } else { false }
    }
}

extension UInt64 {
    /// The last multiple of a unit; of 0 and 1 everything is one.
    func rounded(down unit: UInt64) -> UInt64 { unit > 1 ? self - self % unit : self }

    /// The next multiple of a unit; of 0 and 1 everything is one.
    func rounded(up unit: UInt64) -> UInt64 {
        guard unit > 1 else { return self }
        let rest = self % unit
        return rest == 0 ? self : self &+ (unit &- rest)
    }
}

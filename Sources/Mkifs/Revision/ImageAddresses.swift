internal import Format

/// Where the bytes of an image's file system lie on the target.
struct ImageAddresses {
    /// Of the image header, as programs were linked.
    let linked: UInt64
    /// Added to an address it gives the physical one.
    let bias: UInt64
    let pageSize: UInt64

    /// `evidence` tells where an image lies that no startup header places.
    init(_ image: IFS.Image, _ plan: Plan, _ evidence: ProgramEvidence? = nil) {
        bias = plan.physicalBias
        pageSize = plan.pageSize
        guard let startup = image.startup, !startup.isPlaceless else {
            linked = evidence?.address ?? plan.range.start ?? 0
            return
        }
        linked =
            startup.addressOffset &+ UInt64(startup.imageAddress &+ startup.physicalBias)
            &+ UInt64(startup.startupSize)
    }

    /// The address that the loaded part of the image's file begins at, for a plan of the image.
    func start(of image: IFS.Image) -> UInt64 {
        guard let startup = image.startup else { return linked }
        return linked &- UInt64(startup.startupSize)
            &- min(image.headerOffset, UInt64(startup.prebootSize))
    }

    /// The address of a byte of the image.
    subscript(offset: UInt64) -> ImageProgram.Address {
        let address = linked &+ offset
        return ImageProgram.Address(physical: address &+ bias, linked: address)
    }

    /// What a file's bytes, which are those for `offset`, have to do with their place; nil for
    /// nothing.
    func program(
        _ source: any ByteSource, isProcessed: Bool, at offset: UInt64
    ) throws(FormatError) -> ImageProgram? {
        try ImageProgram(
            source, isProcessed: isProcessed, at: self[offset], pageSize: pageSize, bias: bias)
    }

    /// What the offset of a page is modulo the size of one.
    var pagePhase: UInt64 {
        let rest = linked % max(pageSize, 1)
        return rest == 0 ? 0 : pageSize &- rest
    }
}

extension IFS.StartupHeader {
    /// Whether there is no program: the header only tells how the image is packed.
    fileprivate var isPlaceless: Bool {
        imageAddress == 0 && Int(startupSize) == Self.byteCount + trailerSize
    }
}

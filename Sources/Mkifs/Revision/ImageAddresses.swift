internal import Format

/// Where the bytes of an image's file system lie on the target.
struct ImageAddresses {
    /// Of the image header, as programs were linked.
    let linked: UInt64
    /// Added to an address it gives the physical one.
    let bias: UInt64
    let pageSize: UInt64

    init(_ image: IFS.Image, _ plan: Plan) {
        bias = plan.physicalBias
        pageSize = plan.pageSize
        guard let startup = image.startup else {
            linked = plan.range.start ?? 0
            return
        }
        linked =
            startup.addressOffset &+ UInt64(startup.imageAddress &+ startup.physicalBias)
            &+ UInt64(startup.startupSize)
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

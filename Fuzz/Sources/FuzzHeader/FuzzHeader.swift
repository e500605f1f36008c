internal import Format
internal import FuzzSupport

/// The structures that stand alone: startup header, image header, info records, ELF header.
///
/// The first byte says at which byte of the rest a header is looked for.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let switches = input.byte()
    let bytes = input.rest
    let bases = [0, 1, 63, bytes.count, bytes.count - 4, -1, .max, .min]
    let base = bases[Int(switches & 7)]
    let startup = Checks.attempt { () throws(FormatError) in
        try unsafe IFS.StartupHeader(parsing: bytes.span.bytes, at: base)
    }
    if let startup {
        precondition(startup.storedSize >= startup.startupSize)
        keep((startup.compression.name, startup.trailerSize))
    }
    let image = Checks.attempt { () throws(FormatError) in
        try unsafe IFS.ImageHeader(parsing: bytes.span.bytes, at: base)
    }
    if let image {
        precondition(image.directoryOffset < image.directoryEnd)
        precondition(!image.mountpoint.contains(0))
        keep((image.strictDirectoryOffset, image.trailerSize))
    }
    for order in ByteOrder.allCases {
        for record in IFS.InfoRecord.records(in: bytes, order) { keep(record) }
    }
    if let header = ELF.Header(bytes) {
        keep((header.className, header.typeName, header.machineName))
        precondition(header.segments.count <= Int(header.programHeaderCount))
    }
    return 0
}

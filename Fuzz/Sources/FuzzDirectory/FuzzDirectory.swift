internal import Format
internal import FuzzSupport

/// An image's directory, and the tree that a mount makes of it.
///
/// The first byte says in which byte order the image around the directory is: the rest.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let order: ByteOrder = input.byte() & 1 == 0 ? .little : .big
    for order in ByteOrder.allCases { Checks.check(IFS.Directory(input.rest, order)) }
    let data = (0..<1024).map { UInt8(truncatingIfNeeded: $0) }
    let contents = MadeUp.imageFileSystem(directory: input.rest, data: data, order)
    let file = MadeUp.startupImage(contents, .none, size: UInt32(contents.count))
    Checks.scan(MemorySource(file))
    return 0
}

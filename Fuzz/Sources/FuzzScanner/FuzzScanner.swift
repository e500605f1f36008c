internal import Format
internal import FuzzSupport

/// A whole file: every image in it, with all that can be asked of them.
///
/// The first byte says what happens to the file meanwhile (`FickleSource`); the rest is the file.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    Checks.scan(FickleSource(&input))
    return 0
}

internal import Format
internal import FuzzSupport

/// Blocks of UCL that an image is packed in; `Checks.packed` says what the input means.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    Checks.packed(.ucl, &input)
    return 0
}

internal import Format
internal import FuzzSupport

/// What a file can be around its images.
///
/// The first byte says what happens to the file meanwhile (`FickleSource`), the low three bits of
/// the second what the rest is: 0 the file; 1 S-records to be (`MadeUp.sRecords`), twice as many if
/// the file is replaced; 2 and 3 the size and the LZO or UCL stream of a Harman-Becker image; 4 and 5
/// the contents of one; 6 and 7 what is behind the header of OpenBIOS.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let fate = input.byte()
    let kind = input.byte()
    var file = Input([fate] + wrapped(&input, kind & 7))
    let source = FickleSource(&file)
    let found = Checks.attempt { () throws(FormatError) in try IFS.unwrapped(source) }
    guard let found else { return 0 }
    keep((found.wrapper, found.wrapper?.refusal))
    Checks.scan(found.bytes)
    return 0
}

private func wrapped(_ input: inout Input, _ kind: UInt8) -> [UInt8] {
    let method: IFS.Compression = kind & 1 == 0 ? .lzo : .ucl
    switch kind {
    case 0: return input.rest
    case 1: return MadeUp.sRecords(&input)
    case 2, 3:
        let size = UInt32(input.number(4))
        let packedSize = UInt32(input.rest.count)
        return MadeUp.harmanHeader(method, size: size, packedSize: packedSize) + input.rest
    case 4, 5:
        guard input.rest.count >= 19 else { return input.rest }
        let packed = Packer.packed(input.rest, method)
        let header = MadeUp.harmanHeader(
            method, size: UInt32(input.rest.count), packedSize: UInt32(packed.count))
        return header + packed
    default:
        return [0x00, 0x52, 0x50, 0x4f] + [UInt8](repeating: kind, count: 28) + input.rest
    }
}

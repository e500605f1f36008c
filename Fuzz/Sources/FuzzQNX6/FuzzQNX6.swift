internal import Format
internal import FuzzSupport

/// A QNX 6 volume (`PiecedSource`): its tree, and what its check finds.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let source = PiecedSource(&input)
    keep(Checks.attempt { () throws(FormatError) in try QNX6.isFound(in: source) })
    let volume = Checks.attempt { () throws(FormatError) in try QNX6Volume(source) }
    if let volume { VolumeChecks.check(volume) }
    VolumeChecks.check(QNX6Check.findings(in: source))
    return 0
}

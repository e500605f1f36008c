internal import Format
internal import FuzzSupport

/// A FAT volume (`PiecedSource`): its tree, and what its check finds.
///
/// The first byte says what the bytes of short names stand for.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let pages = FAT.CodePage.allCases
    let page = pages[Int(input.byte()) % pages.count]
    let source = PiecedSource(&input)
    let volume = Checks.attempt { () throws(FormatError) in
        try FAT.Volume(source, FAT.Options(codePage: page))
    }
    guard let volume else { return 0 }
    VolumeChecks.check(volume)
    VolumeChecks.check(volume.check())
    return 0
}

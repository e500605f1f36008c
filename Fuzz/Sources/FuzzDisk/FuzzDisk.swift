internal import Format
internal import FuzzSupport

/// Bytes of a disk that is searched for images to its end.
private let mostSearched: UInt64 = 2 << 20

/// A disk: its partition table, what is in its partitions, and in the images of their files.
///
/// The first byte says how partitions are called; the rest is the disk (`PiecedSource`).
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let styles = Disk.Names.allCases
    let style = styles[Int(input.byte()) % styles.count]
    let source = PiecedSource(&input)
    var options = Disk.Options()
    options.isNested = true
    options.image.cacheLimit = 1 << 20
    let disk = Checks.attempt { () throws(FormatError) in try Disk.find(in: source, options) }
    guard let disk, let disk else { return 0 }
    VolumeChecks.check(disk.table?.faults ?? [])
    VolumeChecks.check(disk.parts.compactMap(\.failure))
    // Both read bytes that no file system has to their end.
    if source.byteCount <= mostSearched {
        VolumeChecks.check(disk.check(in: source).map(\.description))
        keep(Checks.attempt { () throws(FormatError) in try disk.images(in: source).found.count })
    }
    if let volume = disk.volume(style) { VolumeChecks.check(volume) }
    return 0
}

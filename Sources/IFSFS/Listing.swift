internal import Format

/// Gives `body` the entries `.` and `..` of a directory, at the places 0 and 1, from `index` on; false
/// where it wants no more. `above` is the directory that it is in.
func listDots(
    _ own: Attributes, in above: Attributes, from index: Int,
    _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
) -> Bool {
    for (place, attributes) in [own, above].enumerated() where place >= index {
        let name = [UInt8](repeating: UInt8(ascii: "."), count: place + 1)
        let goesOn = unsafe name.withUnsafeBufferPointer { unsafe body(place, $0, attributes) }
        guard goesOn else { return false }
    }
    return true
}

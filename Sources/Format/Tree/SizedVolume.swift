/// A volume that tells how large it is.
public protocol SizedVolume: Volume {
    /// That its source ends before it does, as an incomplete copy: where it tells its size. Nil for a
    /// whole one.
    var cutOff: FormatError? { get }
}

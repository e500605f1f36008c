import Foundation

/// Tests that can go on for as long as one likes: a part of them runs always, and all of it where
/// IFSFS_LONG is set, as `make fuzz LONG=1` does.
public enum LongRun {
    /// Whether all of it runs.
    public static let isOn = !(ProcessInfo.processInfo.environment["IFSFS_LONG"] ?? "").isEmpty

    /// The seeds of a test: the first so many always, so many in all.
    public static func seeds(_ usual: UInt64, of all: UInt64) -> Range<UInt64> {
        0..<(isOn ? all : usual)
    }
}

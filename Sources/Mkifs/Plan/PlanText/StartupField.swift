internal import Format

/// A field of a startup header, as plans name it.
struct StartupField: Sendable {
    let name: String
    /// The largest value it holds.
    let limit: UInt64
    let value: @Sendable (IFS.StartupHeader) -> UInt64
    /// Sets it to a value that it holds.
    let set: @Sendable (inout IFS.StartupHeader, UInt64) -> Void

    private init<Value: FixedWidthInteger & UnsignedInteger & SendableMetatype>(
        _ name: String, _ path: any WritableKeyPath<IFS.StartupHeader, Value> & Sendable
    ) {
        self.name = name
        limit = UInt64(Value.max)
        value = { UInt64($0[keyPath: path]) }
        set = { $0[keyPath: path] = Value(truncatingIfNeeded: $1) }
    }

    /// All but the byte order and the information records, in the header's order.
    static let all = [
        StartupField("version", \.version), StartupField("flags1", \.flags1),
        StartupField("flags2", \.flags2), StartupField("header-size", \.headerSize),
        StartupField("machine", \.machine), StartupField("startup-address", \.startupAddress),
        StartupField("physical-bias", \.physicalBias),
        StartupField("image-address", \.imageAddress), StartupField("ram-address", \.ramAddress),
        StartupField("ram-size", \.ramSize), StartupField("startup-size", \.startupSize),
        StartupField("stored-size", \.storedSize),
        StartupField("imagefs-address", \.imagefsAddress),
        StartupField("imagefs-size", \.imagefsSize), StartupField("preboot-size", \.prebootSize),
        StartupField("zero-half", \.zeroHalf), StartupField("zero-word", \.zeroWord),
        StartupField("address-offset", \.addressOffset),
    ]
}

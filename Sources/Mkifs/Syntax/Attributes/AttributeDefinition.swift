/// A release of the system whose tool is followed.
public enum Release: String, Comparable, CaseIterable, Sendable {
    case v64 = "6.4"
    case v66 = "6.6"
    case v70 = "7.0"
    case v71 = "7.1"
    case v80 = "8.0"

    /// Earlier before later.
    public static func < (left: Release, right: Release) -> Bool { left.rawValue < right.rawValue }
}

/// What one attribute is: a row of the table.
public struct AttributeDefinition: Sendable {
    /// What an attribute speaks of.
    public enum Scope: Sendable {
        /// The whole image.
        case image
        /// An entry, or those that follow.
        case entry
        /// A boot executable.
        case bootLine
        /// A command of a script.
        case modifier
    }

    /// What is written behind the name.
    public enum Kind: String, Sendable {
        case flag, number, identifier, permissions, range, time, text, path, pathList, names
        case segmentUse, type, compression, alignment, pageSizes, bootfile, digest, libraries
        case processor, priority

        /// Whether `*` is a value: the host's, or any.
        public var allowsAsterisk: Bool {
            switch self {
            case .identifier, .permissions, .time, .processor, .priority: true
            default: false
            }
        }
    }

    enum Setter: Sendable {
        case flag(@Sendable (Bool, inout AttributeValues) -> Void)
        case value(@Sendable ([UInt8], inout AttributeValues) throws(ValueFault) -> Void)
    }

    /// The name as it is written.
    public let name: String
    /// What its value is.
    public let kind: Kind
    /// What it speaks of.
    public let scope: Scope
    /// The first release that has it.
    public let since: Release
    /// The first release that has it no longer; nil for none.
    public let until: Release?
    let setter: Setter

    /// How it begins in a buildfile: `+name` or `name=`.
    var spelling: String { kind == .flag ? "+" + name : name + "=" }
}

extension AttributeDefinition {
    static func flag(
        _ name: String, _ scope: Scope, since: Release = .v64,
        _ set: @escaping @Sendable (Bool, inout AttributeValues) -> Void
    ) -> Self {
        Self(
            name: name, kind: .flag, scope: scope, since: since, until: nil, setter: .flag(set))
    }

    static func value(
        _ name: String, _ kind: Kind, _ scope: Scope, since: Release = .v64,
        until: Release? = nil,
        _ set: @escaping @Sendable ([UInt8], inout AttributeValues) throws(ValueFault) -> Void
    ) -> Self {
        Self(name: name, kind: kind, scope: scope, since: since, until: until, setter: .value(set))
    }
}

/// How it is known what a release does.
public enum Evidence: String, Sendable {
    /// A golden image comes out byte for byte.
    case proved = "proved by bytes"
    /// An image that the release's own tool made shows it.
    case seen = "seen in images"
    /// The vendor's documents or headers say it.
    case documented
    /// Nothing contradicts it.
    case assumed
}

/// One topic in which releases differ, in words: what a manual's table is written from.
public struct ProfileLine: Sendable {
    /// What it is about.
    public let topic: String
    /// What each release has, in order.
    public let cells: [(release: Release, text: String, evidence: Evidence)]
}

/// A value, and how it is known.
struct Known<Value: Sendable>: Sendable {
    let value: Value
    let evidence: Evidence

    static func proved(_ value: Value) -> Self { Self(value: value, evidence: .proved) }
    static func seen(_ value: Value) -> Self { Self(value: value, evidence: .seen) }
    static func documented(_ value: Value) -> Self { Self(value: value, evidence: .documented) }
    static func assumed(_ value: Value) -> Self { Self(value: value, evidence: .assumed) }
}

/// One topic: the value of each release, and how it is said.
struct ProfileRow<Value: Sendable>: Sendable {
    private let topic: String
    private let v64: Known<Value>
    private let v66: Known<Value>
    private let v70: Known<Value>
    private let v71: Known<Value>
    private let v80: Known<Value>
    private let text: @Sendable (Value) -> String

    /// The values of 6.4, 6.6, 7.0, 7.1 and 8.0.
    init(
        _ topic: String, _ v64: Known<Value>, _ v66: Known<Value>, _ v70: Known<Value>,
        _ v71: Known<Value>, _ v80: Known<Value>, text: @escaping @Sendable (Value) -> String
    ) {
        self.topic = topic
        self.v64 = v64
        self.v66 = v66
        self.v70 = v70
        self.v71 = v71
        self.v80 = v80
        self.text = text
    }

    subscript(release: Release) -> Value { known(release).value }

    var line: ProfileLine {
        ProfileLine(
            topic: topic,
            cells: Release.allCases.map { release in
                let known = known(release)
                return (release, text(known.value), known.evidence)
            })
    }

    private func known(_ release: Release) -> Known<Value> {
        switch release {
        case .v64: v64
        case .v66: v66
        case .v70: v70
        case .v71: v71
        case .v80: v80
        }
    }
}

extension ProfileRow where Value == Bool {
    init(
        _ topic: String, _ v64: Known<Bool>, _ v66: Known<Bool>, _ v70: Known<Bool>,
        _ v71: Known<Bool>, _ v80: Known<Bool>, _ yes: String, _ no: String
    ) {
        self.init(topic, v64, v66, v70, v71, v80) { $0 ? yes : no }
    }
}

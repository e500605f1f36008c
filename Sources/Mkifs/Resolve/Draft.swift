internal import Format

/// An entry as a line of the buildfile makes it, before it is known whether the image boots, and so
/// what its path and its number are.
struct Draft: Sendable {
    enum Kind: Sendable {
        case content(Content)
        /// A bootstrap executable and its command line.
        case bootstrap(Content, IFS.BootArguments)
        case script
        case directory
        case fifo
        case device(HostAttributes.Device)
        case link(text: [UInt8])
    }

    /// What the host, or a default in its place, has.
    struct Base: Sendable {
        let permissions: UInt16
        let user: UInt32
        let group: UInt32
        /// Nil for what the build makes.
        let modified: UInt32?

        init(_ status: HostStatus) {
            permissions = status.permissions
            user = status.user
            group = status.group
            modified = status.modified
        }

        init(permissions: UInt16, user: UInt32 = 0, group: UInt32 = 0) {
            self.permissions = permissions
            self.user = user
            self.group = group
            modified = nil
        }
    }

    let target: [UInt8]
    let kind: Kind
    let attributes: EntryAttributes
    let base: Base
    let mark: SourceMark
    /// The host's file; nil without one, or with one name only.
    var hardLink: HostStatus.Identity?

    /// The path in the image: below the prefix unless it is absolute, and without a leading slash.
    func path(defaultPrefix: [UInt8]) -> [UInt8] {
        let prefix = attributes.prefix ?? defaultPrefix
        let whole = target.first == .slash || prefix.isEmpty ? target : prefix + [.slash] + target
        return Array(
            whole.split(separator: .slash).filter { $0 != [.dot] }.joined(separator: [.slash]))
    }

    var isDirectory: Bool { if case .directory = kind { true } else { false } }

    /// What may be held against another draft of the same path.
    var summary: [UInt8] {
        switch kind {
        case .content(.bytes(let bytes)): [0] + bytes
        case .content(let content), .bootstrap(let content, _): [1] + content.name
        case .script: [2]
        case .directory: [3]
        case .fifo: [4]
        case .link(let text): [5] + text
        case .device(let device): [6] + Array("\(device.kind) \(device.number ?? 0)".utf8)
        }
    }
}

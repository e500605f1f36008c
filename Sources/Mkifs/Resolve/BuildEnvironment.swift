internal import Format
internal import Glibc

/// The variables that the process was given, and what they say of a build.
public struct BuildEnvironment: Sendable {
    /// `NAME=value`, in order.
    public let strings: [[UInt8]]

    /// An environment of these texts.
    public init(_ strings: [[UInt8]]) { self.strings = strings }

    /// The variables of this process.
    public static func ofProcess() -> BuildEnvironment {
        var strings: [[UInt8]] = []
        var next = unsafe environ
        while let text = unsafe next.pointee {
            let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text))
            strings.append(unsafe bytes.map(UInt8.init(bitPattern:)))
            unsafe next += 1
        }
        return BuildEnvironment(strings)
    }

    /// The variables by name; the first of a name counts.
    public var values: [[UInt8]: [UInt8]] {
        var values: [[UInt8]: [UInt8]] = [:]
        for text in strings {
            guard let end = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Array(text[..<end])
            values[name] = values[name] ?? Array(text[(end + 1)...])
        }
        return values
    }

    private subscript(name: String) -> [UInt8]? { values[Array(name.utf8)] }

    /// The release of this name, else the one that MKIFS_PROFILE names, else 7.0.
    public func release(named name: String? = nil) throws(MkifsError) -> Release {
        guard let text = name ?? self["MKIFS_PROFILE"].map({ String(decoding: $0, as: UTF8.self) })
        else { return .v70 }
        guard let release = Release(rawValue: text) else {
            let known = Release.allCases.map(\.rawValue).joined(separator: ", ")
            throw .refused("profile: found '\(text)', expected one of \(known)")
        }
        return release
    }

    /// The options of a build that nothing else is said of. The time is now, unless SOURCE_DATE_EPOCH
    /// says when.
    public func options(_ release: Release) throws(MkifsError) -> BuildOptions {
        var options = BuildOptions(release)
        options.environment = values
        options.root = self["_ROOTDIR_"]
        options.buildTime = UInt32(clamping: time(nil))
        if let text = self["SOURCE_DATE_EPOCH"] {
            guard let seconds = UInt32(String(decoding: text, as: UTF8.self)) else {
                throw .refused(
                    "SOURCE_DATE_EPOCH: found '\(printable(text))', expected seconds since 1970")
            }
            options.buildTime = seconds
        }
        return options
    }
}

extension BuildOptions {
    /// Has a directory searched before all others, as one does that stands first in MKIFS_PATH.
    public mutating func searchFirst(_ directory: [UInt8]) {
        let name = Array("MKIFS_PATH".utf8)
        let hasRoot = root != nil || environment[Array("_ROOTDIR_".utf8)] != nil
        let rest = environment[name] ?? HostSearch.defaultPath(hasRoot: hasRoot)
        environment[name] = directory + (rest.isEmpty ? [] : [.colon] + rest)
    }
}

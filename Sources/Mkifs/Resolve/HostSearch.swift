internal import Format

/// Looks for the files of the host that a buildfile names.
struct HostSearch {
    /// Places below the target's root, in the order in which they are searched.
    private static let folders = [
        "sbin", "usr/sbin", "boot/sys", "bin", "usr/bin", "lib", "lib/dll", "usr/lib",
        "usr/photon/bin",
    ]

    /// The value of MKIFS_PATH where nobody gave one. Its variables get their values when it is
    /// used. Source: the vendor's documents of 6.4 to 7.0.
    static func defaultPath(hasRoot: Bool) -> [UInt8] {
        let roots = (hasRoot ? ["${_ROOTDIR_}"] : []) + ["${QNX_TARGET}"]
        let places = roots.flatMap { root in folders.map { "\(root)/${PROCESSOR}/\($0)" } }
        return Array(places.joined(separator: ":").utf8)
    }

    /// Finds a file: an absolute name as it is, one with a slash inside from the current directory
    /// first, then in each directory of `search`.
    static func find(
        _ name: [UInt8], from directory: [UInt8]?, search: [UInt8], in files: BuildOptions.Files,
        followsLinks: Bool = true, telling tell: (([UInt8], Bool) -> Void)? = nil
    ) -> (path: [UInt8], status: HostStatus)? {
        for path in candidates(name, directory, search) {
            let status = files.status(of: path, followsLinks: followsLinks)
            tell?(path, status != nil)
            if let status { return (path, status) }
        }
        return nil
    }

    private static func candidates(
        _ name: [UInt8], _ directory: [UInt8]?, _ search: [UInt8]
    ) -> [[UInt8]] {
        if name.first == .slash { return [name] }
        let base = directory ?? []
        var paths = name.contains(.slash) || search.isEmpty ? [join(base, name)] : []
        for folder in search.split(separator: .colon) {
            paths.append(
                join(folder.first == .slash ? Array(folder) : join(base, Array(folder)), name))
        }
        return paths
    }
}

extension BuildOptions.Files {
    /// What is known of a file; nil where there is none.
    func status(of path: [UInt8], followsLinks: Bool) -> HostStatus? {
        switch self {
        case .host: HostStatus(path, followsLinks: followsLinks)
        case .keeping(let attributes):
            HostStatus(path, followsLinks: followsLinks).map { status in
                attributes(status.identity.device, status.identity.inode).map(status.with) ?? status
            }
        case .provided(let bytes): bytes(path).map { HostStatus(fileOf: $0.count) }
        }
    }

    /// A whole file, of at most `limit` bytes.
    func contents(of path: [UInt8], limit: UInt64) throws(MkifsError) -> [UInt8] {
        switch self {
        case .host, .keeping: try Host.contents(of: path, limit: limit)
        case .provided(let bytes): bytes(path) ?? []
        }
    }

    /// A file that was found, as a part of a plan.
    func content(_ path: [UInt8], _ status: HostStatus) -> Content {
        switch self {
        case .host, .keeping: .file(HostFile(path, byteCount: status.byteCount))
        case .provided(let bytes): .bytes(bytes(path) ?? [])
        }
    }
}

/// A name below a directory; an empty directory is none.
func join(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
    if directory.isEmpty { return name }
    return directory.last == .slash ? directory + name : directory + [.slash] + name
}

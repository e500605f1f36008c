public import Foundation

/// The files that tests read, found from this source file's place.
public enum Fixtures {
    /// The project's folder.
    public static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()

    /// `Tests/Fixtures`.
    public static let folder = root.appendingPathComponent("Tests/Fixtures")

    /// The names of the golden cases, sorted.
    public static let goldenCases: [String] = names(in: folder.appendingPathComponent("golden"))
        .filter { exists(golden($0, "expected.ifs")) }

    /// A file of a golden case: `expected.ifs`, `expected.list`, `expected.list-v`, `case.build`.
    public static func golden(_ name: String, _ file: String) -> URL {
        folder.appendingPathComponent("golden/\(name)/\(file)")
    }

    /// A golden case's image.
    public static func goldenImage(_ name: String) throws -> [UInt8] {
        try bytes(golden(name, "expected.ifs"))
    }

    /// The folder of files that belong to others and are no part of the project; nil where it is
    /// absent, and the tests that use it are skipped.
    public static let shared: URL? = {
        let named = ProcessInfo.processInfo.environment["IFSFS_SHARED"]
        let place =
            named.map { URL(fileURLWithPath: $0) }
            ?? root.deletingLastPathComponent().appendingPathComponent("shared")
        return exists(place.appendingPathComponent("images")) ? place : nil
    }()

    /// Whether the shared images are here.
    public static var hasShared: Bool { shared != nil }

    /// The names of the shared images that end in `ending`, sorted; none where they are absent.
    public static func sharedImages(ending: String = ".ifs") -> [String] {
        guard let shared else { return [] }
        return names(in: shared.appendingPathComponent("images")).filter { $0.hasSuffix(ending) }
    }

    /// Where a shared image lies. Only for tests that are skipped without them.
    public static func sharedImage(_ name: String) throws -> URL {
        guard let shared else { throw CocoaError(.fileNoSuchFile) }
        return shared.appendingPathComponent("images/\(name)")
    }

    /// The golden cases' names, then those of the shared images.
    public static let allImages = goldenCases + sharedImages()

    /// An image by a name of `allImages`.
    public static func image(_ name: String) throws -> [UInt8] {
        goldenCases.contains(name) ? try goldenImage(name) : try bytes(sharedImage(name))
    }

    /// What a shared image contains, by its listing.
    public static func sharedListing(_ name: String) throws -> [ListedEntry] {
        let text = try String(decoding: bytes(sharedImage(name + ".txt")), as: UTF8.self)
        return ListedEntry.entries(in: text)
    }

    /// A file's bytes.
    public static func bytes(_ file: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: file)) }

    /// Whether a file or folder is there.
    public static func exists(_ file: URL) -> Bool {
        FileManager.default.fileExists(atPath: file.path)
    }

    private static func names(in folder: URL) -> [String] {
        // A folder that is absent has no names; the tests that need some say so.
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }
}

/// A line of a shared image's listing: mode, uid, gid, mtime, size, path, SHA-256 or `-`, target.
public struct ListedEntry: Sendable {
    /// The POSIX mode with its type bits.
    public let mode: UInt32
    /// Numeric id of the owner.
    public let user: UInt32
    /// Numeric id of the group.
    public let group: UInt32
    /// Seconds since 1970.
    public let modified: Int64
    /// Bytes of the file, or of the link's target.
    public let byteCount: UInt64
    /// The path without a leading slash; empty for the root.
    public let path: String
    /// Lower-case digits; nil for what is no file.
    public let sha256: String?
    /// A symbolic link's target.
    public let target: String?

    /// The entries of a listing, in its order; a path can occur twice, and the last one counts.
    public static func entries(in text: String) -> [ListedEntry] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap(ListedEntry.init)
    }

    private init?(_ line: Substring) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 7, let mode = UInt32(fields[0], radix: 8),
            let user = UInt32(fields[1]), let group = UInt32(fields[2]),
            let modified = Int64(fields[3]), let byteCount = UInt64(fields[4])
        else { return nil }
        self.mode = mode
        self.user = user
        self.group = group
        self.modified = modified
        self.byteCount = byteCount
        path = fields[5] == "/" ? "" : fields[5]
        sha256 = fields[6].count == 64 ? fields[6] : nil
        target = fields.firstIndex(of: "->").map { fields[$0 + 1] }
    }
}

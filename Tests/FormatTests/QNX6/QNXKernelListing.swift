import Format
import Foundation
import TestSupport
import Testing

/// What Linux's own driver sees in an image, by `../shared/tools/kernel-read`.
struct QNXKernelListing {
    /// A line of it.
    struct Entry {
        var mode: UInt32
        var user: UInt32
        var group: UInt32
        var modified: Int64
        var byteCount: UInt64?
        /// SHA-256, `->` and a target, or `-`.
        var content: String
        var path: String
    }

    var entries: [Entry]

    /// Whether a virtual machine can run here: the tool and all it needs.
    static let isHere: Bool =
        MadeQNXVolume.has("kernel-read")
        && ["/usr/bin", "/bin", "/usr/local/bin"].contains {
            access($0 + "/qemu-system-x86_64", X_OK) == 0
        }

    /// Boots a kernel with the image.
    init(_ image: String, _ type: String) throws {
        let result = try MadeQNXVolume.run("kernel-read", [image, "--fstype", type])
        #expect(result.status == 0)
        entries = result.text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 6).map(String.init)
            guard fields.count == 7, let mode = UInt32(fields[0], radix: 8),
                let user = UInt32(fields[1]), let group = UInt32(fields[2]),
                let modified = Int64(fields[3])
            else { return nil }
            return Entry(
                mode: mode, user: user, group: group, modified: modified,
                byteCount: UInt64(fields[4]), content: fields[5],
                path: fields[6] == "." ? "" : fields[6])
        }
    }

    /// Holds a volume against it. `name` turns a name that Linux shows into the volume's.
    func expectSame(_ volume: some Volume, unlisted: Set<String> = []) throws {
        try #require(!entries.isEmpty)
        for entry in entries {
            let node = try #require(try volume.node(at: entry.path), "\(entry.path)")
            let found = try #require(try volume.attributes(of: node))
            #expect(found.kind.rawValue | found.permissions == entry.mode, "\(entry.path)")
            #expect(found.user == entry.user && found.group == entry.group, "\(entry.path)")
            #expect(found.modified == entry.modified, "\(entry.path)")
            switch found.kind {
            case .file:
                #expect(found.byteCount == entry.byteCount, "\(entry.path)")
                let sum = hexDigits(SHA2.sha256(try volume.contents(of: node)))
                #expect(sum == entry.content, "\(entry.path)")
            case .symlink:
                let target = String(decoding: try volume.target(of: node) ?? [], as: UTF8.self)
                #expect("->" + target == entry.content, "\(entry.path)")
            default: break
            }
        }
        let paths = Set(entries.map(\.path)).union(unlisted)
        #expect(try volume.walk().map(\.path).filter { !paths.contains($0) } == [])
    }
}

import Format
import Mkifs
import TestSupport
import Testing

/// The image of these bytes with changes.
func revised(
    _ bytes: [UInt8], _ revision: Revision, isForced: Bool = false
) throws -> [UInt8] {
    try built(RevisedPlan(IFS.Image.only(in: bytes), revision, isForced: isForced).plan)
}

/// What a tree shows of one entry, and the bytes of a file.
struct Shown: Equatable {
    var mode: UInt32
    var user: UInt32
    var group: UInt32
    var modified: UInt32
    var inode: UInt32
    var target: [UInt8] = []
    var bytes: [UInt8] = []
    var device: [UInt32] = []
}

extension IFS.Image {
    /// The index of the last record of a path.
    func lastRecord(at path: String) -> Int? { paths.lastIndex(of: path) }

    /// A record as a node that can be changed.
    func node(_ path: String) throws -> Revision.Node {
        let record = try #require(lastRecord(at: path))
        return try #require(Revision.Node(record, of: self))
    }

    /// What a record shows. Of a program that lies elsewhere `p_paddr` is another; it shows as 0.
    func shown(_ record: Int, withoutPlaces: Bool = true) throws -> Shown {
        let entry = directory.entries[record]
        var shown = Shown(
            mode: entry.mode, user: entry.user, group: entry.group, modified: entry.modified,
            inode: entry.inode)
        switch entry.kind {
        case .file(let offset, let size):
            // Files outside the image have no bytes.
            shown.bytes = (try? data(of: entry)) ?? [UInt8](repeating: 0, count: Int(size & 0xff))
            let isProgram = entry.inode & IFS.Dirent.processedFlag != 0
            if withoutPlaces, isProgram { shown.bytes.voidPlaces() }
            _ = offset
        case .symlink: shown.target = Array(directory.target(of: entry))
        case .device(let device, let raw): shown.device = [device, raw]
        case .directory, .unknown: break
        }
        return shown
    }

    /// All records by path, the last of equal ones; void ones are left out.
    func tree() throws -> [String: Shown] {
        var tree: [String: Shown] = [:]
        for (record, path) in paths.enumerated() where directory.entries[record].inode != 0 {
            tree[path] = try shown(record)
        }
        return tree
    }

    /// The unpacked image file system.
    func plainBytes() throws -> [UInt8] {
        try contents.bytes(UInt64(header.imageSize), at: 0, "image")
    }

    /// Whether records with different paths have their order.
    var isSortedBehindBootstraps: Bool {
        let rest = directory.entries.dropFirst().filter {
            $0.inode & IFS.Dirent.bootstrapFlag == 0
        }.map { Array(directory.path(of: $0)) }
        return zip(rest, rest.dropFirst()).allSatisfy { !$1.lexicographicallyPrecedes($0) }
    }
}

extension [UInt8] {
    /// Makes `p_paddr` zero in the program headers of an ELF file.
    fileprivate mutating func voidPlaces() {
        guard count > 64, starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return }
        let isBig = self[5] == 2
        let isWide = self[4] == 2
        let table =
            isWide
            ? Int(integer(UInt64.self, at: 32, isBigEndian: isBig))
            : Int(integer(UInt32.self, at: 28, isBigEndian: isBig))
        let step = Int(integer(UInt16.self, at: isWide ? 54 : 42, isBigEndian: isBig))
        let rows = Int(integer(UInt16.self, at: isWide ? 56 : 44, isBigEndian: isBig))
        for row in 0..<rows {
            let place = table + row * step + (isWide ? 24 : 12)
            set([UInt8](repeating: 0, count: isWide ? 8 : 4), at: place)
        }
    }
}

/// What of two trees differs, a path each; empty where nothing does.
func differences(_ found: [String: Shown], _ expected: [String: Shown]) -> [String] {
    Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted().map { path in
        guard let one = found[path], let other = expected[path] else {
            return "\(path): \(found[path] == nil ? "missing" : "not expected")"
        }
        var (plainOne, plainOther) = (one, other)
        (plainOne.bytes, plainOther.bytes) = ([], [])
        return plainOne == plainOther
            ? "\(path): \(difference(one.bytes, other.bytes) ?? "")"
            : "\(path): \(plainOne), expected \(plainOther)"
    }
}

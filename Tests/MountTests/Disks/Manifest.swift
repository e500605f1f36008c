import Foundation
import TestSupport
import Testing

/// A tree as lines, one for each node, sorted by path: what Linux's drivers say of an image by
/// `../shared/tools/kernel-read`, what another reader does, and what a mount shows.
struct Manifest: Equatable {
    /// Mode, number of names, owner, group, time, size, contents, path.
    let lines: [String]
    /// `# statfs`: bytes of a block, blocks, free blocks.
    var statistics: [String: UInt64] = [:]

    /// Whether a virtual machine can run here.
    static let hasKernel = Card.tool("kernel-read") != nil && Machine.has("qemu-system-x86_64")

    /// What the kernel sees in a partition, or in a file system alone. Where it does not count names
    /// there is a `-`.
    static func kernel(_ image: Word, partition: Int? = nil, _ type: Word, options: Word? = nil)
        throws
        -> Manifest
    {
        let tool = try #require(Card.tool("kernel-read"))
        var words = [tool, image, "--fstype", type, "--nlink", "--statfs"]
        if let partition { words += ["--partition", Word("\(partition)")] }
        if let options { words += ["--mountopts", options] }
        let finished = try run(words, deadline: 400)
        try #require(finished.status == 0, "\(finished.errorText)")
        var statistics: [String: UInt64] = [:]
        var lines: [String] = []
        for line in finished.lines {
            if line.hasPrefix("# statfs") {
                for pair in line.split(separator: " ") {
                    let parts = pair.split(separator: "=")
                    if parts.count == 2, let value = UInt64(parts[1]) {
                        statistics[String(parts[0])] = value
                    }
                }
                continue
            }
            // The third is the inode number, which is the driver's own affair.
            var fields = line.split(separator: " ", maxSplits: 8).map(String.init)
            guard fields.count == 9 else { continue }
            fields.remove(at: 2)
            if type == "qnx6" { fields[1] = "-" }
            lines.append(fields.joined(separator: " "))
        }
        return Manifest(lines: lines, statistics: statistics)
    }

    /// What a mount shows below a directory. Of QNX 6, Linux does not count names.
    init(_ root: Word, countsNames: Bool = true) throws {
        let sums = try Self.sums(root)
        lines = try (["."] + Calls.tree(root))
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            .map { try Self.line($0, root, countsNames, sums) }
    }

    /// SHA-256 of every file, by its path.
    private static func sums(_ root: Word) throws -> [Word: String] {
        let finished = try shell(
            "cd \"$1\"; find . -type f -printf '%P\\0' | xargs -0r sha256sum -bz --", root,
            deadline: 400)
        try #require(finished.status == 0, "\(finished.errorText)")
        var sums: [Word: String] = [:]
        for line in finished.output.split(separator: 0) {
            sums[Word(Array(line.dropFirst(66)))] = String(decoding: line.prefix(64), as: UTF8.self)
        }
        return sums
    }

    private init(lines: [String], statistics: [String: UInt64]) {
        self.lines = lines
        self.statistics = statistics
    }

    private static func line(
        _ name: Word, _ root: Word, _ countsNames: Bool, _ sums: [Word: String]
    ) throws -> String {
        let path = name == "." ? root : root / name
        let found = try Calls.status(path)
        let mode = String(found.st_mode, radix: 8)
        var (size, content) = ("\(found.st_size)", "-")
        switch found.st_mode & S_IFMT {
        case S_IFDIR: size = "-"
        case S_IFREG: content = sums[name] ?? "ERROR"
        case S_IFLNK: content = "->" + escaped(try Calls.target(path), alsoBlanks: true)
        case S_IFCHR, S_IFBLK: content = "dev:\(found.st_rdev >> 8):\(found.st_rdev & 255)"
        default: break
        }
        let fields = [
            String(repeating: "0", count: 6 - mode.count) + mode,
            countsNames ? "\(found.st_nlink)" : "-", "\(found.st_uid)", "\(found.st_gid)",
            "\(found.st_mtim.tv_sec)", size, content, escaped(name.bytes),
        ]
        return fields.joined(separator: " ")
    }

    private static func escaped(_ bytes: [UInt8], alsoBlanks: Bool = false) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            if byte < 32 || byte == 127 || byte == 92 || alsoBlanks && byte == 32 {
                let digits = String(byte, radix: 8)
                out += Array(("\\" + String(repeating: "0", count: 3 - digits.count) + digits).utf8)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Says which lines only one of the two has.
    func expectSame(as other: Manifest, _ what: String) {
        #expect(!lines.isEmpty)
        let (mine, theirs) = (Set(lines), Set(other.lines))
        for line in lines where !theirs.contains(line) {
            Issue.record("\(what): only here: \(line)")
        }
        for line in other.lines where !mine.contains(line) {
            Issue.record("\(what): only there: \(line)")
        }
        #expect(lines.count == other.lines.count, "\(what)")
    }
}

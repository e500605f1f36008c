import TestSupport

/// Images that several suites mount.
enum Samples {
    /// One node of every kind, and what a mount has to tell of it.
    struct Kind: Sendable {
        let path: Word
        /// Type and permission bits.
        let mode: UInt32
        var user: UInt32 = 0
        var group: UInt32 = 0
        var modified: Int = 0
        var size: Int64 = 0
        var links: UInt = 1
        /// Major and minor number.
        var device: (major: UInt32, minor: UInt32) = (0, 0)
    }

    static let longName = Word([UInt8](repeating: UInt8(ascii: "n"), count: 255))
    /// Bytes that are no UTF-8.
    static let strangeName = Word([0xff, 0xfe, 0x20, 0x0a, 0x5c, 0xc3, 0x28])

    static let kinds: [Kind] = [
        Kind(path: "", mode: 0o040751, user: 3, group: 4, modified: 1_111_111_111, links: 5),
        Kind(
            path: "dir", mode: 0o041770, user: 7, group: 8, modified: 1_000_000_000, links: 3),
        Kind(path: "dir/sub", mode: 0o040755, links: 2),
        Kind(
            path: "dir/file", mode: 0o100640, user: 1_234_567, group: 7_654_321,
            modified: 4_294_967_295, size: 9),
        Kind(path: "dir/empty", mode: 0o100600),
        Kind(path: "setuid", mode: 0o106755, size: 3),
        Kind(path: "first", mode: 0o100644, modified: 77, size: 5000, links: 2),
        Kind(path: "second", mode: 0o100644, modified: 77, size: 5000, links: 2),
        Kind(path: "link", mode: 0o120777, size: 8),
        Kind(path: "dangling", mode: 0o120755, user: 9, size: 14),
        Kind(path: "fifo", mode: 0o010620),
        Kind(path: "char", mode: 0o020666, device: (5, 1)),
        Kind(path: "block", mode: 0o060660, device: (63, 1023)),
        Kind(path: "socket", mode: 0o140777),
        // Linux knows no named specials; nobody can write to what stands for one.
        Kind(path: "special", mode: 0o100444),
        Kind(path: "unlisted", mode: 0o040555, modified: 1_111_111_111, links: 3),
        Kind(path: "unlisted/deep", mode: 0o040555, modified: 1_111_111_111, links: 2),
        Kind(path: "unlisted/deep/file", mode: 0o100644, size: 4),
        Kind(path: longName, mode: 0o100644, size: 1),
        Kind(path: strangeName, mode: 0o040755, links: 2),
        Kind(path: strangeName / strangeName, mode: 0o100644, size: 2),
    ]

    /// An image of `kinds`.
    static let everyKind: ImageBuilder = {
        var entries: [ImageEntry] = [
            .directory("dir", permissions: 0o1770).with {
                ($0.user, $0.group, $0.modified) = (7, 8, 1_000_000_000)
            },
            .directory("dir/sub"),
            .file("dir/file", "contents\n", permissions: 0o640).with {
                ($0.user, $0.group, $0.modified) = (1_234_567, 7_654_321, 4_294_967_295)
            },
            .file("dir/empty", permissions: 0o600),
            .file("setuid", "set", permissions: 0o6755),
            .file("first", SplitMix64.text(5000)).with { $0.modified = 77 },
            ImageEntry(path: Array("second".utf8), .hardLink(5), mode: 0o100644)
                .with { $0.modified = 77 },
            .symlink("link", to: "dir/file"),
            .symlink("dangling", to: "/no/such/place").with {
                ($0.mode, $0.user) = (0o120755, 9)
            },
            .device("fifo", type: 1, permissions: 0o620),
            .device("char", type: 2, rdev: 5 << 10 | 1),
            .device("block", type: 6, rdev: 63 << 10 | 1023, permissions: 0o660),
            .device("socket", type: 12, permissions: 0o777),
            .device("special", type: 5),
            .file("unlisted/deep/file", "deep"),
        ]
        entries.append(ImageEntry(path: longName.bytes, .file([1]), mode: 0o100644))
        entries.append(ImageEntry(path: strangeName.bytes, .directory, mode: 0o040755))
        entries.append(
            ImageEntry(path: (strangeName / strangeName).bytes, .file([1, 2]), mode: 0o100644))
        return ImageBuilder(entries).with {
            $0.root = .directory("", permissions: 0o751).with {
                ($0.user, $0.group, $0.modified) = (3, 4, 1_111_111_111)
            }
        }
    }()

    /// Files and directories as ordinary tools expect them; every file can be read by everyone.
    static let ordinary: ImageBuilder = {
        var entries: [ImageEntry] = [.directory("bin"), .directory("empty")]
        for index in 0..<30 {
            entries.append(
                .file(
                    "bin/tool\(index)", SplitMix64.text(index * 3000 + 1, seed: UInt64(index)),
                    permissions: 0o755
                ).with { $0.modified = 1_600_000_000 + UInt32(index) })
            entries.append(.symlink("bin/link\(index)", to: "tool\(index)"))
        }
        entries.append(.file("etc/motd", "a needle in the hay\n"))
        entries.append(.file("etc/hosts", "127.0.0.1 localhost\n"))
        entries.append(ImageEntry(path: Array("etc/again".utf8), .hardLink(62), mode: 0o100644))
        return ImageBuilder(entries).with { $0.packing = .lzo(isFast: true) }
    }()

    /// A packed image of one file called `file`, of `count` bytes, that costs little to make: each
    /// block of 64 KiB begins with its number.
    static func large(_ count: Int, _ packing: Packing) -> (image: ImageBuilder, file: [UInt8]) {
        let block = SplitMix64.text(1 << 16)
        var file: [UInt8] = []
        file.reserveCapacity(count + block.count)
        var number: UInt64 = 0
        while file.count < count {
            file += [UInt8](number, isBigEndian: true)
            file += block.dropFirst(8)
            number += 1
        }
        file.removeLast(file.count - count)
        return (ImageBuilder([.file("file", file)]).with { $0.packing = packing }, file)
    }
}

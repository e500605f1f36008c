import TestSupport
import Testing

@testable import Format

/// Image file systems in the files of a volume, shown as directories beside them.
struct NestedVolumeTests {
    private static let image = ImageBuilder([
        .directory("etc"), .file("etc/passwd", Array("root\n".utf8)), .symlink("sh", to: "ksh"),
    ]).build().bytes

    /// A volume with images in its root and in a directory, and files that are called like images.
    private func made() -> [UInt8] {
        var fat = FATImage(bits: 16, sectorsPerCluster: 2, clusterCount: 5000)
        fat.addFile("QNX-IFS ", Self.image)
        fat.addFile("NOTHING IFS", Array("no image".utf8))
        fat.addFile("README  TXT", Self.image)
        let folder = fat.addFolder("BOOT")
        fat.addFile("A       IFS", [UInt8](repeating: 0x90, count: 3000) + Self.image, to: folder)
        fat.addFile("B       IFS", Self.image, to: folder)
        fat.addFile("B.IFS   D  ", Array("taken".utf8), long: "B.IFS.d", to: folder)
        return fat.bytes
    }

    private func volume(isNested: Bool = true) throws -> any Volume {
        var options = Disk.Options()
        options.isNested = isNested
        let disk = try #require(try Disk.find(in: MemorySource(made()), options))
        return try #require(disk.volume())
    }

    private func node(_ path: String, _ volume: any Volume) throws -> NodeID {
        try path.split(separator: "/").reduce(.root) { node, name in
            try #require(try volume.lookup(Array(name.utf8), in: node), "\(name)")
        }
    }

    @Test func eachImageHasADirectoryBesideIt() throws {
        let volume = try volume()
        #expect(
            try volume.names() == ["QNX-IFS", "NOTHING.IFS", "README.TXT", "BOOT", "QNX-IFS.d"])
        let boot = try node("BOOT", volume)
        #expect(try volume.names(boot) == ["A.IFS", "B.IFS", "B.IFS.d", "A.IFS.d", "B.IFS.d2"])
        for path in ["QNX-IFS.d", "BOOT/A.IFS.d", "BOOT/B.IFS.d2"] {
            let root = try node(path, volume)
            #expect(Set(try volume.names(root)) == ["etc", "sh"])
            let file = try node(path + "/etc/passwd", volume)
            #expect(try volume.contents(of: file) == Array("root\n".utf8))
            #expect(try volume.target(of: node(path + "/sh", volume)) == Array("ksh".utf8))
            #expect(try volume.attributes(of: root)?.node == root)
        }
    }

    @Test func withoutTheOptionThereAreNone() throws {
        let volume = try volume(isNested: false)
        #expect(try volume.names() == ["QNX-IFS", "NOTHING.IFS", "README.TXT", "BOOT"])
    }

    /// They count as directories do, and lead back to where they are.
    @Test func theyAreDirectoriesOfTheVolume() throws {
        let (volume, plain) = (try volume(), try volume(isNested: false))
        func links(_ volume: any Volume, _ path: String) throws -> UInt32? {
            try volume.attributes(of: node(path, volume))?.linkCount
        }
        #expect(try links(volume, "") == links(plain, "").map { $0 + 1 })
        #expect(try links(volume, "BOOT") == links(plain, "BOOT").map { $0 + 2 })
        let boot = try node("BOOT", volume)
        #expect(try volume.parent(of: node("BOOT/A.IFS.d", volume)) == boot)
        #expect(
            try volume.parent(of: node("BOOT/A.IFS.d/etc", volume))
                == node("BOOT/A.IFS.d", volume))
        #expect(try volume.parent(of: boot) == .root)
    }

    /// A listing that is broken off goes on with the next entry, whichever that is.
    @Test func aListingGoesOnWhereItBrokeOff() throws {
        let volume = try volume()
        let boot = try node("BOOT", volume)
        var names: [String] = []
        var next = 0
        var isMore = true
        while isMore {
            isMore = false
            try volume.entries(of: boot, from: next) { index, name, _ in
                names.append(String(decoding: name, as: UTF8.self))
                next = index + 1
                isMore = true
                return false
            }
        }
        #expect(names == ["A.IFS", "B.IFS", "B.IFS.d", "A.IFS.d", "B.IFS.d2"])
    }

    /// Numbers are the same whenever the same bytes are opened, and no two nodes share one.
    @Test func numbersStay() throws {
        func numbers(_ volume: any Volume, _ directory: NodeID) throws -> [NodeID] {
            try volume.list(directory).flatMap { entry in
                let isDirectory = try volume.attributes(of: entry.node)?.kind == .directory
                return [entry.node] + (isDirectory ? try numbers(volume, entry.node) : [])
            }
        }
        let first = try numbers(volume(), .root)
        #expect(first.count == 9 + 3 * 4 - 2 && Set(first).count == first.count)
        #expect(try numbers(volume(), .root) == first)
    }
}

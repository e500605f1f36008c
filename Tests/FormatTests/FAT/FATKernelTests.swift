import Format
import Foundation
import TestSupport
import Testing

/// Linux's own vfat as the judge, in a machine of its own. Skipped without `../shared/tools` and qemu.
@Suite(
    .enabled(if: HostTool.kernelReader != nil, "no ../shared/tools/kernel-read, or no qemu"),
    .enabled(if: HostTool.hasFATTools, "no mkfs.fat or mcopy"), .serialized)
struct FATKernelTests {
    /// What the kernel or a volume says of a node: `mode links uid gid mtime size`.
    private static func facts(_ found: Attributes) -> String {
        let mode = String(found.kind.rawValue | found.permissions, radix: 8)
        let size = found.kind == .file ? "\(found.byteCount)" : "-"
        return
            "\(mode.count < 6 ? "0" : "")\(mode) \(found.linkCount) \(found.user) \(found.group) "
            + "\(found.modified) \(size)"
    }

    /// Changes that mtools cannot make: case bits, odd dates, read-only, names outside the BMP.
    private static func spoil(_ image: String) throws {
        let volume = try FATToolTests.open(image)
        let handle = Foundation.open(image, O_RDWR)
        defer { close(handle) }
        for (index, entry) in try volume.list(.root).enumerated() {
            let place = off_t(entry.node.rawValue - 2) * 32
            let bits: [UInt8] = [0, 0x08, 0x10, 0x18]
            pwrite(handle, [bits[index % 4]], 1, place + 12)
            // A month of 13, no date at all, a leap day, the last second.
            let times: [[UInt8]] = [
                [0, 0, 0xa1, 0x1b], [0, 0, 0, 0], [0x1c, 0x64, 0x5d, 0x58],
                [0x7d, 0xbf, 0x9f, 0xff],
            ]
            pwrite(handle, times[index / 4 % 4], 4, place + 22)
            if entry.name == Array("smile xy".utf8) {
                // Units 6 and 7 of the part before the entry: a pair for U+1F600.
                pwrite(handle, [0x3d, 0xd8, 0x00, 0xde] as [UInt8], 4, place - 32 + 16)
            }
        }
    }

    @Test(arguments: [["-F12"], ["-F16"], ["-F32", "-s1"]])
    func theKernelSeesWhatWeSee(options: [String]) throws {
        let scratch = try ScratchFolder()
        let (folder, image) = (scratch.path + "/in", scratch.path + "/image")
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        _ = try FATToolTests.grow(folder, seed: 9, count: 60)
        try Data([1]).write(to: URL(fileURLWithPath: folder + "/READ.ONL"))
        try Data([2]).write(to: URL(fileURLWithPath: folder + "/smile xy"))
        let size = options[0] == "-F12" ? 6000 : options[0] == "-F16" ? 20000 : 40000
        try FATToolTests.make(
            .init(kilobytes: size, options: options), at: image, from: folder)
        try HostTool.mustRun("mattrib", "+r", "-i", image, "::/READ.ONL")
        try Self.spoil(image)
        let volume = try FATToolTests.open(image)
        #expect(try volume.node(at: "smile \u{1f600}") != nil)
        let reader = try #require(HostTool.kernelReader)
        let outcome = try HostTool.run(
            reader, image, "--fstype", "vfat", "--mountopts", "utf8=1,tz=UTC", "--nlink", "--statfs"
        )
        try #require(outcome.status == 0, "\(outcome.output)")
        var expected = ["": (Self.facts(try #require(try volume.attributes(of: .root))), "-")]
        for (path, node) in try volume.walk() {
            let attributes = try #require(try volume.attributes(of: node))
            let content =
                attributes.kind == .file
                ? hexDigits(SHA2.sha256(try volume.contents(of: node))) : "-"
            expected[path] = (Self.facts(attributes), content)
        }
        var seen = 0
        for line in outcome.output.split(separator: "\n") {
            if line.hasPrefix("# statfs") { try Self.compare(line, volume) }
            let words = line.split(separator: " ", maxSplits: 8).map(String.init)
            guard words.count == 9, UInt32(words[0], radix: 8) != nil else { continue }
            seen += 1
            let path = words[8] == "." ? "" : words[8]
            let found = ([words[0], words[1]] + words[3...6]).joined(separator: " ")
            #expect(expected[path]?.0 == found, "\(path)")
            #expect(expected[path]?.1 == words[7], "\(path)")
        }
        #expect(seen == expected.count, "\(outcome.output)")
    }

    /// `# statfs fstype=vfat bsize=... blocks=... bfree=...`.
    private static func compare(_ line: Substring, _ volume: FAT.Volume) throws {
        let pairs = line.split(separator: " ").compactMap { word -> (String, UInt64)? in
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = UInt64(parts[1]) else { return nil }
            return (String(parts[0]), value)
        }
        let numbers = Dictionary(uniqueKeysWithValues: pairs)
        let size = try #require(numbers["bsize"])
        #expect(size == volume.geometry.clusterSize)
        #expect(volume.statistics.byteCount == numbers["blocks"].map { $0 * size })
        #expect(volume.statistics.freeByteCount == numbers["bfree"].map { $0 * size })
    }
}

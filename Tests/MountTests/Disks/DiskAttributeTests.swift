import Foundation
import TestSupport
import Testing

/// What file systems of a disk know beyond POSIX.
@Suite(
    .needsFuse, .enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"),
    .timeLimit(.minutes(20)))
struct DiskAttributeTests {
    private func text(_ name: String, _ path: Word) throws -> String {
        String(decoding: try Calls.attribute("user." + name, of: path), as: UTF8.self)
    }

    /// What a file system of a disk keeps beyond POSIX is answered by extended attributes.
    @Test func fileSystemsTellWhatTheyKnow() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Card.make(scratch), "xattr")
        let (fat, qnx6, qnx4) = (mount / "p1-fat16", mount / "p2-qnx6", mount / "p5-qnx4")
        #expect(try text("fat.attributes", fat / "MLO") == "RHA")
        #expect(try text("fat.attributes", fat / "EFI") == "")
        #expect(try text("fat.shortname", fat / "a directory of a long name") == "ADIREC~1")
        #expect(try text("fat.type", fat) == "FAT16" && text("fat.label", fat) == "BOOT")
        #expect(try text("fat.serial", fat).count == 9)
        #expect(try text("qnx6.blocksize", qnx6) == "1024")
        #expect(try text("qnx6.blocksize", mount / "p6-qnx6") == "4096")
        #expect(try text("qnx6.label", qnx6) == "system")
        #expect(try UInt64(text("qnx6.serial", qnx6)) ?? 0 > 0)
        #expect(try text("qnx4.status", qnx4) == "0x21")
        // Listed, because that was asked for.
        #expect(
            try Set(Calls.attributeNames(fat)) == [
                "user.fat.label", "user.fat.serial", "user.fat.type",
            ])
        #expect(try Calls.attributeNames(qnx6).contains("user.qnx6.serial"))
        #expect(
            try Set(Calls.attributeNames(fat / "MLO")).isSuperset(of: [
                "user.fat.attributes", "user.fat.shortname",
            ]))
        #expect(try Calls.attributeNames(mount.path) == ["user.disk.info"])
        #expect(try Calls.attributeNames(mount / "p3-unknown.img") == [])
        for (name, path) in [
            ("user.qnx6.serial", qnx6 / "dir"), ("user.fat.label", fat / "MLO"),
            ("user.disk.info", fat), ("user.ifs.info", mount.path), ("user.fat.none", fat),
        ] as [(String, Word)] {
            #expect(throws: SystemError(code: ENODATA), "\(name)") {
                try Calls.attribute(name, of: path)
            }
        }
    }

    @Test func theyAreListedOnlyIfThatWasAskedFor() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Card.make(scratch))
        for path in ["", "p1-fat16", "p1-fat16/MLO", "p2-qnx6", "p5-qnx4/large"] as [Word] {
            #expect(try Calls.attributeNames(mount / path) == [], "\(path)")
        }
        #expect(try text("fat.attributes", mount / "p1-fat16/MLO") == "RHA")
    }

    /// The root of a disk, or of one partition of it, tells of the disk by user.disk.info.
    @Test func theRootTellsOfTheDisk() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let card = try Card.make(scratch)
        let mount = try scratch.mount(card)
        let whole = try text("disk.info", mount.path)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [String: Any])
        #expect(Set(object.keys) == ["table", "sector_size", "faults", "partitions"])
        #expect(object["table"] as? String == "MBR" && object["sector_size"] as? Int == 512)
        let parts = try #require(object["partitions"] as? [[String: Any]])
        #expect(parts.map { $0["number"] as? Int } == [1, 2, 3, 5, 6])
        #expect(
            parts.map { $0["file_system"] as? String } == ["FAT16", "QNX6", nil, "QNX4", "QNX6"])
        #expect(parts.map { $0["label"] as? String } == ["BOOT", "system", "", "", ""])
        #expect(parts[0]["offset"] as? Int == 1 << 20 && parts[0]["size"] as? Int == 16 << 20)
        #expect(parts[0]["active"] as? Bool == true && parts[1]["active"] as? Bool == false)
        let one = try scratch.mount(card, "partition=5", at: "one")
        #expect(try text("disk.info", one.path) == whole)
        let below = try scratch.mount(card, "partition=1,subdir=EFI", at: "below")
        #expect(try text("disk.info", below.path) == whole)
        #expect(try text("fat.type", below.path) == "FAT16")
        // Each member is in the manual.
        let page = try ManualPage("man/mount.ifs.8").section("EXTENDED ATTRIBUTES")
            .joined(separator: " ").split { " ,.".contains($0) }.map(String.init)
        for name in Array(object.keys) + Array(parts[0].keys) {
            #expect(page.contains(name), "\(name)")
        }
    }
}

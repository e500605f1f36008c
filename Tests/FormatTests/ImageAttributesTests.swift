import Format
import Foundation
import TestSupport
import Testing

/// What each kind of node answers to the names `ifs.*`, held against what the builder put there.
struct ImageAttributesTests {
    private static func values(
        _ volume: IFS.ImageVolume, _ path: String
    ) throws -> [String: String] {
        let node = try #require(try volume.node(at: path), "no \(path)")
        var values: [String: String] = [:]
        for name in try volume.extendedAttributeNames(of: node) {
            let value = try #require(try volume.extendedAttribute(name, of: node), "\(name)")
            values[name] = String(decoding: value, as: UTF8.self)
        }
        return values
    }

    /// A node of every kind, with a script and a bootstrap executable that has a command line.
    private static func everyKind(_ order: ByteOrder) -> ImageBuilder {
        var builder = ImageBuilder([
            .file(
                "proc/boot/procnto",
                [UInt8](repeating: 1, count: 12)
                    + BootArgumentBytes.entry(
                        ["procnto", "-v", "two words"], ["PATH=/bin", "TZ=UTC"],
                        address: 0x8000_0000, isBigEndian: order == .big)
            ).with { $0.inode = 0xa000_0002 },
            .directory("etc", permissions: 0o1750).with { $0.inode = 0x4000_0003 },
            .file("etc/motd", "seven77", permissions: 0o6755),
            .symlink("tmp", to: "/dev/shmem"),
            .device("tty", type: 2, dev: 9, rdev: 0x3c05, permissions: 0o620),
            .device("disk", type: 6, rdev: 0xffff), .device("pipe", type: 1),
            .device("socket", type: 12), .device("special", type: 5, rdev: 7),
            .file("deep/er", "x"),
        ])
        builder.isBigEndian = order == .big
        builder.mountpoint = Array("/kit".utf8)
        builder.bootInodes = [0xa000_0002]
        builder.addScript(
            ScriptBytes.displayMessage("hello") + ScriptBytes.waitfor("/dev/x", tenths: 25)
                + ScriptBytes.terminator, path: "proc/boot/.script")
        return builder
    }

    private static func volume(_ builder: ImageBuilder) throws -> (IFS.ImageVolume, BuiltImage) {
        let built = builder.build()
        return (try IFS.ImageVolume(IFS.Image.only(in: built.bytes)), built)
    }

    /// `built.recordOffsets` has the root's record first: that of entry n is at n + 1.
    @Test(arguments: ByteOrder.allCases)
    func eachKindHasItsNamesAndWhatTheBuilderPutThere(order: ByteOrder) throws {
        let (volume, built) = try Self.volume(Self.everyKind(order))
        func record(_ entry: Int) -> String { "\(built.recordOffsets[entry + 1])" }
        #expect(
            try Self.values(volume, "etc/motd") == [
                "ifs.inode": "0x4", "ifs.flags": "", "ifs.mode": "0106755",
                "ifs.record": record(2), "ifs.offset": "\(built.dataOffsets[2])",
                "ifs.size": "7", "ifs.compression": "none",
            ])
        #expect(
            try Self.values(volume, "etc") == [
                "ifs.inode": "0x40000003", "ifs.flags": "runonce", "ifs.mode": "041750",
                "ifs.record": record(1),
            ])
        #expect(
            try Self.values(volume, "tmp") == [
                "ifs.inode": "0x5", "ifs.flags": "", "ifs.mode": "0120777",
                "ifs.record": record(3),
            ])
        let devices: [(String, String, String, Int)] = [
            ("tty", "020620", "0x3c05", 4), ("disk", "060666", "0xffff", 5),
            ("pipe", "010666", "0x0", 6), ("socket", "0140666", "0x0", 7),
            ("special", "050666", "0x7", 8),
        ]
        for (path, mode, number, entry) in devices {
            #expect(
                try Self.values(volume, path) == [
                    "ifs.inode": "0x\(String(entry + 2, radix: 16))", "ifs.flags": "",
                    "ifs.mode": mode, "ifs.record": record(entry), "ifs.rdev": number,
                ])
        }
    }

    @Test(arguments: ByteOrder.allCases)
    func aBootstrapHasItsCommandLineAndTheScriptItsText(order: ByteOrder) throws {
        let (volume, built) = try Self.volume(Self.everyKind(order))
        let program = try Self.values(volume, "proc/boot/procnto")
        #expect(program["ifs.arguments"] == "PATH=/bin TZ=UTC procnto -v two words")
        #expect(program["ifs.inode"] == "0xa0000002")
        #expect(program["ifs.flags"] == "processed,bootstrap" && program["ifs.script"] == nil)
        #expect(program["ifs.offset"] == "\(built.dataOffsets[0])")
        let script = try Self.values(volume, "proc/boot/.script")
        #expect(script["ifs.script"] == "display_msg hello\nwaitfor /dev/x 2.5\n")
        #expect(script["ifs.arguments"] == nil && script["ifs.inode"] == "0xc")
    }

    @Test(arguments: ByteOrder.allCases)
    func theRootHasTheMountPointAndTheImagesFacts(order: ByteOrder) throws {
        let (volume, built) = try Self.volume(Self.everyKind(order))
        var root = try Self.values(volume, "")
        let facts = try #require(root["ifs.info"])
        root["ifs.info"] = nil
        #expect(
            root == [
                "ifs.inode": "0x1", "ifs.flags": "", "ifs.mode": "040755",
                "ifs.record": "\(built.directoryOffset)", "ifs.mountpoint": "/kit",
            ])
        #expect(!facts.contains("\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(facts.utf8)) as? [String: Any])
        #expect(object["kind"] as? String == "boot" && object["compression"] as? String == "none")
        #expect(object["byte_order"] as? String == order.rawValue)
        #expect(object["end"] as? Int == built.bytes.count)
        #expect((object["image"] as? [String: Any])?["image_size"] as? Int == built.plain.count)
        #expect((object["startup"] as? [String: Any])?["machine_name"] as? String == "arm")
    }

    @Test func theManualPageNamesThemAll() throws {
        let (volume, _) = try Self.volume(Self.everyKind(.little))
        var names: Set<String> = []
        for node in try [NodeID.root] + volume.walk().map(\.node) {
            names.formUnion(try volume.extendedAttributeNames(of: node))
        }
        let page = try Fixtures.bytes(Fixtures.root.appendingPathComponent("man/mount.ifs.8"))
        let items = String(decoding: page, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix(".It Li user.ifs.") }.map { String($0.dropFirst(12)) }
        #expect(Set(items) == names && items.count == names.count)
    }

    @Test func aDirectoryThatIsNotListedHasNone() throws {
        let (volume, _) = try Self.volume(Self.everyKind(.little))
        #expect(try Self.values(volume, "deep") == [:])
        let (bare, _) = try Self.volume(ImageBuilder([.file("a", "x")]).with { $0.root = nil })
        #expect(Set(try Self.values(bare, "").keys) == ["ifs.mountpoint", "ifs.info"])
    }

    @Test func aNameThatIsNoneHasNoValue() throws {
        let (volume, _) = try Self.volume(Self.everyKind(.little))
        let file = try #require(try volume.node(at: "etc/motd"))
        for name in ["", "ifs", "ifs.", "ifs.rdev", "ifs.script", "ifs.info", "ifs.Size", "size"] {
            #expect(try volume.extendedAttribute(name, of: file) == nil)
        }
        let absent = NodeID(rawValue: 99)
        #expect(try volume.extendedAttributeNames(of: absent) == [])
        #expect(try volume.extendedAttribute("ifs.inode", of: absent) == nil)
    }

    @Test(
        arguments: [(.none, "none"), (.zlib(), "zlib"), (.lzo(), "lzo"), (.ucl(), "ucl")]
            as [(Packing, String)])
    func thePackingIsThatOfTheImageAndOffsetsAreOfWhatItUnpacksTo(
        packing: Packing, name: String
    ) throws {
        let (volume, built) = try Self.volume(
            ImageBuilder([.file("a", SplitMix64.text(3000)), .file("b", "two")]).with {
                $0.packing = packing
            })
        let values = try Self.values(volume, "b")
        #expect(values["ifs.compression"] == name && values["ifs.size"] == "3")
        let offset = try #require(values["ifs.offset"].flatMap { Int($0) })
        #expect(Array(built.plain[offset..<(offset + 3)]) == Array("two".utf8))
    }

    @Test func aHardLinkHasTheFirstNamesRecord() throws {
        let (volume, built) = try Self.volume(
            ImageBuilder([
                .file("b", "shared"), ImageEntry(path: [0x61], .hardLink(0), mode: 0x81a4),
            ]))
        let values = try Self.values(volume, "b")
        #expect(values == (try Self.values(volume, "a")))
        #expect(values["ifs.record"] == "\(built.recordOffsets[2])", "a comes first in the tree")
    }

    @Test func aScriptOutsideTheImageIsAnError() throws {
        var builder = ImageBuilder()
        builder.addScript(ScriptBytes.displayMessage("x") + ScriptBytes.terminator)
        builder.entries[0].offset = 0x10_0000
        let (volume, _) = try Self.volume(builder)
        let node = try #require(try volume.node(at: "proc/boot/.script"))
        #expect(throws: FormatError.self) {
            try volume.extendedAttribute("ifs.script", of: node)
        }
        #expect(try volume.extendedAttribute("ifs.size", of: node) == Array("12".utf8))
    }

    // MARK: Another maker's images

    @Test func theScriptOfAGoldenCaseIsThatOfItsBuildfile() throws {
        let volume = try IFS.ImageVolume(
            IFS.Image.only(in: Fixtures.goldenImage("boot-armle-vars")))
        let text = try Self.values(volume, "proc/boot/.script")["ifs.script"]
        #expect(text == "display_msg hello\nBOARD=rev74 TZ=UTC daemon &\n")
        let long = try IFS.ImageVolume(IFS.Image.only(in: Fixtures.goldenImage("script")))
        let lines = try #require(try Self.values(long, "startup-script")["ifs.script"])
            .split(separator: "\n")
        #expect(lines.count == 15 && lines[4] == "waitfor /dev/ser1 2.5")
    }

    /// The words of the startup stand in the facts of the root; its program is no entry.
    @Test(arguments: Fixtures.goldenCases.filter { $0.hasPrefix("boot-") })
    func aGoldenCasesStartupHasItsWordsInTheFacts(name: String) throws {
        let volume = try IFS.ImageVolume(IFS.Image.only(in: Fixtures.goldenImage(name)))
        let facts = try #require(try Self.values(volume, "")["ifs.info"])
        let pattern = /"boot_arguments":\{"arguments":\["(startup-[a-z0-9]+)","-v","-D74"\]/
        #expect(facts.contains(pattern))
    }

    @Test(
        .enabled(if: Fixtures.hasShared, "no shared images here"),
        arguments: [
            (
                "x86-zlib.ifs", "proc/boot/procnto",
                "PATH=/proc/boot:/bin:/usr/bin LD_LIBRARY_PATH=/proc/boot:/lib:/usr/lib:/lib/dll"
                    + " procnto -v"
            ),
            (
                "mipsbe-lzo-elf.ifs", "proc/boot/procnto-32",
                "PATH=/proc/boot:/bin:/usr/bin LD_LIBRARY_PATH=/proc/boot:/lib:/usr/lib:/lib/dll"
                    + " procnto-32 -v"
            ),
            (
                "x86_64-8.0-sha512.ifs", "proc/boot/procnto-smp-instr",
                "PATH=/proc/boot LD_LIBRARY_PATH=/proc/boot:/lib procnto-smp-instr"
            ),
        ])
    func theKernelOfARealImageHasItsCommandLine(
        name: String, path: String, words: String
    ) throws {
        let bytes = try Fixtures.bytes(Fixtures.sharedImage(name))
        let volume = try IFS.ImageVolume(IFS.Image.only(in: bytes))
        #expect(try Self.values(volume, path)["ifs.arguments"] == words)
    }
}

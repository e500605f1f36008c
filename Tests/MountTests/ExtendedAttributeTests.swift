import Foundation
import TestSupport
import Testing

/// `user.ifs.*`: what an image knows of a node beyond `stat`.
///
/// Linux lets only files and directories have attributes in `user.`: of other nodes nothing is
/// told. Source: xattr(7).
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ExtendedAttributeTests {
    /// Which of the builder's entries is which.
    private enum Index {
        static let directory = 0, data = 2, flagged = 6, unlisted = 7
    }

    static let image: ImageBuilder = {
        var builder = ImageBuilder([
            .directory("dir", permissions: 0o750),
            .file(
                "procnto",
                SplitMix64.text(999)
                    + BootArgumentBytes.entry(
                        ["procnto", "-v"], ["PATH=/bin"], address: 0x8000_0000)),
            .file("data", SplitMix64.text(100_000), permissions: 0o4755),
            ImageEntry(path: Array("more".utf8), .hardLink(2), mode: 0o100755),
            .symlink("link", to: "data"), .device("fifo", type: 1),
            .file("flagged", "x").with { $0.inode = 0xe000_0009 },
            .file("unlisted/file", "y").with { $0.inode = 0x8000_000a },
        ])
        builder.bootInodes = [3]
        builder.mountpoint = Array("/kit".utf8)
        builder.addScript(
            ScriptBytes.displayMessage("hello")
                + ScriptBytes.external("/bin/a", ["a", "-x"]) + ScriptBytes.terminator,
            path: "script")
        return builder
    }()

    static func text(_ path: Word, _ name: String) throws -> String {
        String(decoding: try Calls.attribute("user.ifs." + name, of: path), as: UTF8.self)
    }

    // MARK: Values

    @Test(arguments: [false, true])
    func ofAnEntryTheRecordsFieldsAreTold(isBigEndian: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        // An entry of boot arguments would have to be of the other order, too.
        let builder = Self.image.with { $0.isBigEndian = isBigEndian }
        let built = builder.build()
        let mount = try scratch.mount(builder)
        func record(_ index: Int) -> String { String(built.recordOffsets[index + 1]) }
        let expected: [(path: Word, inode: String, flags: String, mode: String, record: String)] = [
            ("", "0x1", "", "040755", record(-1)),
            ("dir", "0x2", "", "040750", record(Index.directory)),
            ("data", "0x4", "", "0104755", record(Index.data)),
            (
                "flagged", "0xe0000009", "processed,runonce,bootstrap", "0100644",
                record(Index.flagged)
            ),
            ("unlisted/file", "0x8000000a", "processed", "0100644", record(Index.unlisted)),
        ]
        for (path, inode, flags, mode, record) in expected {
            #expect(try Self.text(mount / path, "inode") == inode, "\(path)")
            #expect(try Self.text(mount / path, "flags") == flags, "\(path)")
            #expect(try Self.text(mount / path, "mode") == mode, "\(path)")
            #expect(try Self.text(mount / path, "record") == record, "\(path)")
        }
    }

    @Test(
        arguments: [
            (.none, "none"), (.zlib(), "zlib"), (.lzo(), "lzo"), (.ucl(level: 1), "ucl"),
        ] as [(Packing, String)])
    func ofAFileItsPlaceIsTold(packing: Packing, name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let builder = Self.image.with { $0.packing = packing }
        let offset = builder.build().dataOffsets[Index.data]
        let mount = try scratch.mount(builder)
        for path in ["data", "more"] as [Word] {
            #expect(try Self.text(mount / path, "offset") == String(offset), "\(path)")
            #expect(try Self.text(mount / path, "size") == "100000", "\(path)")
            #expect(try Self.text(mount / path, "compression") == name, "\(path)")
        }
        // The place is that of the bytes.
        #expect(
            try difference(
                Calls.contents(mount / "data"), builder.build().plain[offset..<offset + 100_000])
                == nil)
    }

    @Test func theScriptAndTheCommandLinesAreToldAsText() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image)
        #expect(
            try Self.text(mount / "script", "script") == "display_msg hello\n/bin/a -x\n")
        #expect(try Self.text(mount / "procnto", "arguments") == "PATH=/bin procnto -v")
        for (path, name) in [("data", "script"), ("procnto", "script"), ("script", "arguments")] {
            #expect(throws: SystemError(code: ENODATA), "\(path)") {
                try Self.text(mount / Word(path), name)
            }
        }
    }

    @Test(arguments: [.none, .lzo(isFast: true)] as [Packing])
    func theRootTellsTheImagesFactsAsJSON(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let builder = Self.image.with { $0.packing = packing }
        let built = builder.build()
        let gap = 4096
        let file = try scratch.file("flash.bin", [UInt8](repeating: 0xff, count: gap) + built.bytes)
        let mount = try scratch.mount(file)
        #expect(try Self.text(mount.path, "mountpoint") == "/kit")
        let json = try Calls.attribute("user.ifs.info", of: mount.path)
        #expect(!json.contains(UInt8(ascii: "\n")))
        let found = try #require(
            JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        #expect(
            Set(found.keys) == [
                "kind", "byte_order", "compression", "start", "header_offset", "stored_offset",
                "end", "missing_bytes", "displacement", "startup", "image",
            ])
        #expect(found["kind"] as? String == "boot")
        #expect(found["byte_order"] as? String == "little")
        #expect(found["compression"] as? String == (packing == .none ? "none" : "lzo"))
        #expect(found["start"] as? Int == gap)
        #expect(found["stored_offset"] as? Int == gap + built.storedOffset)
        #expect(found["missing_bytes"] as? Int == 0)
        let startup = try #require(found["startup"] as? [String: Any])
        #expect(startup["machine"] as? Int == 40)
        #expect(startup["image_paddr"] as? Int == 0x8000_0000)
        let image = try #require(found["image"] as? [String: Any])
        #expect(image["image_size"] as? Int == built.plain.count)
        #expect(image["mountpoint"] as? String == "/kit")
        #expect(image["boot_ino"] as? [Int] == [3, 0, 0, 0])
        #expect(throws: SystemError(code: ENODATA)) { try Self.text(mount / "dir", "info") }
    }

    /// Each member has its paragraph in the manual page of dumpifs.
    @Test func theFactsAreDocumented() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image)
        let page = try Fixtures.bytes(Fixtures.root.appendingPathComponent("man/dumpifs.1"))
        let items = String(decoding: page, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix(".It Li ") }
            .flatMap { $0.dropFirst(7).split(separator: " ").map(String.init) }
        let json = try Calls.attribute("user.ifs.info", of: mount.path)
        let facts = try #require(
            JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        let image = try #require(facts["image"] as? [String: Any])
        // The fields of the startup header are told of together.
        for name in Array(facts.keys) + Array(image.keys) {
            let isDocumented = items.contains(name)
            #expect(isDocumented, "\(name)")
        }
    }

    // MARK: Names

    @Test func nothingIsListedUnlessAskedFor() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image)
        for path in try [""] + Calls.tree(mount.path) {
            #expect(try Calls.attributeNames(mount / path) == [], "\(path)")
        }
    }

    /// What is listed can be read, and nothing else.
    @Test func listedIsWhatHasAValue() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, "xattr")
        let entry: Set = ["inode", "flags", "mode", "record"]
        let file = entry.union(["offset", "size", "compression"])
        let expected: [(path: Word, names: Set<String>)] = [
            ("", entry.union(["mountpoint", "info"])), ("dir", entry), ("data", file),
            ("more", file), ("flagged", file), ("procnto", file.union(["arguments"])),
            ("script", file.union(["script"])), ("link", []), ("fifo", []), ("unlisted", []),
            ("unlisted/file", file),
        ]
        #expect(try expected.count == Calls.tree(mount.path).count + 1)
        for (path, names) in expected {
            let found = try Calls.attributeNames(mount / path)
            #expect(Set(found) == Set(names.map { "user.ifs." + $0 }), "\(path)")
            #expect(found.count == names.count)
            for name in found {
                #expect(throws: Never.self) { try Calls.attribute(name, of: mount / path) }
            }
        }
    }

    @Test(.enabled(if: Machine.has("getfattr"), "getfattr is not installed"))
    func getfattrReadsAWholeTreeWithoutComplaint() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, "xattr")
        let found = try shell("cd \"$1\"; getfattr -hRPd -m - .", mount.path)
        #expect(found.status == 0 && found.errors.isEmpty, "\(found)")
        #expect(found.lines.contains("user.ifs.size=\"100000\""))
        try mount.unmount()
        let quiet = try scratch.mount(scratch / "x.ifs")
        let none = try shell("cd \"$1\"; getfattr -hRPd -m - .", quiet.path)
        #expect(none.description == "status 0")
    }

    @Test(arguments: [
        "user.ifs.none", "user.ifs.", "user.ifs", "user.", "user.size", "user.ifs.rdev",
        "user.ifs.info", "user.ifs.Size", "trusted.ifs.size",
    ])
    func unknownNamesHaveNoValue(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image)
        #expect(throws: SystemError(code: ENODATA)) {
            try Calls.attribute(name, of: mount / "data")
        }
    }

    @Test func aShortBufferIsToldSo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(Self.image, "xattr")
        for (path, name) in [("", "info"), ("data", "size"), ("script", "script")] {
            let path = mount / Word(path)
            let value = try Calls.attribute("user.ifs." + name, of: path)
            let asked = path.withCString { lgetxattr($0, "user.ifs." + name, nil, 0) }
            #expect(asked == value.count)
            let exact = try Calls.attribute("user.ifs." + name, of: path, room: value.count)
            #expect(exact == value)
            for room in [1, value.count - 1] {
                #expect(throws: SystemError(code: ERANGE), "\(name), \(room)") {
                    try Calls.attribute("user.ifs." + name, of: path, room: room)
                }
            }
        }
        let names = try Calls.attributeNames(mount / "data")
        let count = names.reduce(0) { $0 + $1.utf8.count + 1 }
        #expect((mount / "data").withCString { llistxattr($0, nil, 0) } == count)
        #expect(try Calls.attributeNames(mount / "data", room: count) == names)
        for room in [1, count - 1] {
            #expect(throws: SystemError(code: ERANGE)) {
                try Calls.attributeNames(mount / "data", room: room)
            }
        }
    }
}

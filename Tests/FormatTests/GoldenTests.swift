import Format
import Foundation
import TestSupport
import Testing

/// The golden images against what the vendor's own dumpifs says of them.
struct GoldenTests {
    private static func open(_ name: String) throws -> (IFS.Image, VendorListing) {
        let image = try IFS.Image.only(in: Fixtures.goldenImage(name))
        let text = try Fixtures.bytes(Fixtures.golden(name, "expected.list-v"))
        return (image, VendorListing(String(decoding: text, as: UTF8.self)))
    }

    @Test func thereAre33Cases() { #expect(Fixtures.goldenCases.count == 33) }

    @Test(arguments: Fixtures.goldenCases)
    func everySumIsGood(name: String) throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage(name))
        let words = image.checkSums().map(\.word)
        #expect(!words.contains("bad") && words.contains("good"))
        #expect(image.missingByteCount == 0 && image.displacement == 0)
        #expect(image.directory.skipped == [] && image.directory.broken == nil)
    }

    @Test(arguments: Fixtures.goldenCases)
    func entriesAreThoseOfTheVendorsListing(name: String) throws {
        let (image, listing) = try Self.open(name)
        #expect(image.paths == listing.entries.map(\.path))
        for (entry, listed) in zip(image.directory.entries, listing.entries) {
            #expect(entry.group == listed.fields["gid"].flatMap { UInt32($0) })
            #expect(entry.user == listed.fields["uid"].flatMap { UInt32($0) })
            #expect(entry.inode == listed.fields["ino"].flatMap { UInt32($0) })
            #expect(entry.modified == listed.fields["mtime"].flatMap { UInt32($0, radix: 16) })
            #expect(entry.mode & 0o7777 == listed.fields["mode"].flatMap { UInt32($0, radix: 8) })
            let target = String(decoding: image.directory.target(of: entry), as: UTF8.self)
            switch entry.kind {
            case .file(let offset, let size):
                #expect(listed.size == UInt64(size))
                #expect(listed.offset == image.storedOffset + UInt64(offset))
            case .symlink(_, let size):
                #expect(listed.target == target && listed.size == UInt64(size))
            case .device(let dev, let rdev):
                #expect(listed.fields["dev"] == "\(dev)" && listed.fields["rdev"] == "\(rdev)")
            case .directory: #expect(listed.size == nil && listed.target == nil)
            case .unknown: Issue.record("\(listed)")
            }
        }
    }

    @Test(arguments: Fixtures.goldenCases)
    func headersAreThoseOfTheVendorsListing(name: String) throws {
        let (image, listing) = try Self.open(name)
        func listed(_ key: String) -> UInt64? {
            listing.fields[key].flatMap { text in
                text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            }
        }
        #expect(listing.offsets["Image-header"] == image.storedOffset)
        #expect(
            listing.offsets["Image-directory"]
                == image.storedOffset + UInt64(image.header.directoryOffset))
        #expect(listed("image flags") == UInt64(image.header.flags))
        #expect(
            (listing.fields["mountpoint"] ?? "")
                == String(decoding: image.header.mountpoint, as: UTF8.self))
        #expect(listed("script") ?? 0 == UInt64(image.header.scriptInode))
        #expect(listed("chain") ?? 0 == UInt64(image.header.chainAddress))
        let boot = listing.fields["boot"]?.split(separator: ",").compactMap { Int32($0) } ?? []
        #expect(boot == image.header.bootInodes.filter { $0 != 0 }.map { Int32(bitPattern: $0) })
        // Of a bare image, dumpifs prints the word in its own host's order.
        let order = image.startup == nil ? .little : image.header.order
        #expect(try listed("image") == UInt64(image.imageChecksum(order)))
        #expect(try listed("startup") == image.startupChecksum().map { UInt64($0) })
        guard let startup = image.startup else {
            #expect(listing.offsets["Startup-header"] == nil)
            return
        }
        #expect(listing.offsets["Startup-header"] == image.headerOffset)
        #expect(listed("flags1") == UInt64(startup.flags1))
        #expect(listed("paddr_bias") == UInt64(startup.physicalBias))
        #expect(listed("preboot_size") == UInt64(startup.prebootSize))
        #expect(listed("image_paddr") == UInt64(startup.imageAddress))
        #expect(listed("stored_size") == UInt64(startup.storedSize))
        #expect(listed("startup_size") == UInt64(startup.startupSize))
        #expect(listed("imagefs_size") == UInt64(startup.imagefsSize))
        #expect(listed("ram_paddr") == UInt64(startup.ramAddress))
        #expect(listed("ram_size") == UInt64(startup.ramSize))
        #expect(listed("startup_vaddr") == UInt64(startup.startupAddress))
    }

    @Test(arguments: Fixtures.goldenCases)
    func pathsOfTheTreeAreThoseOfTheShortListing(name: String) throws {
        let text = try Fixtures.bytes(Fixtures.golden(name, "expected.list"))
        let listing = VendorListing(String(decoding: text, as: UTF8.self))
        let volume = try IFS.ImageVolume(IFS.Image.only(in: Fixtures.goldenImage(name)))
        #expect(volume.findings == [])
        let listed = Set(listing.entries.map(\.path))
        let parents = listed.flatMap { path in
            let names = path.split(separator: "/")
            return names.indices.map { names.prefix($0).joined(separator: "/") }
        }
        let shown = try [""] + volume.walk().map(\.path)
        #expect(Set(shown) == listed.union(parents))
        #expect(Set(shown).count == shown.count)
    }

    /// The words behind the bootfile in each bootable case's buildfile.
    @Test(arguments: Fixtures.goldenCases.filter { $0.hasPrefix("boot-") })
    func theStartupsCommandLineIsThatOfTheBuildfile(name: String) throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage(name))
        let text = try Fixtures.bytes(Fixtures.golden(name, "case.build"))
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n")
            .first { $0.split(separator: " ").contains { $0.hasPrefix("startup-") } }
        let words = try #require(line).split(separator: " ").map(String.init)
        let start = try #require(words.firstIndex { $0.hasPrefix("startup-") })
        let found = try #require(try image.startupArguments())
        #expect(found.arguments == words[start...].map { Array($0.utf8) })
    }

    /// The scripts of the case that shows every built-in command and modifier; mkifs joined them.
    @Test func theScriptIsThatOfTheBuildfile() throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage("script"))
        let script = IFS.Script(try image.scriptData())
        let environment = "PATH=/proc/boot:/bin LD_LIBRARY_PATH=/lib "
        #expect(script.broken == nil)
        #expect(
            script.listingLines == [
                "display_msg 'Welcome to board 74\n'",
                "procmgr_symlink '../../proc/boot/libc.so.3' '/usr/lib/ldqnx.so.2'",
                environment + "slogger &", "waitfor 5.0 /dev/slog", "waitfor 2.5 /dev/ser1",
                "reopen 5.0 /dev/ser1", "reopen 5.0 /dev/console",
                "[ priority=20f ] " + environment + "devc-ser -e -b115200 &",
                "[ argv0=other priority=9r ] " + environment
                    + "tool -x quoted arg 'single arg'", "[ cpu=1 ] " + environment + "worker",
                environment + "worker2 a b", "[ +session ] " + environment + "sh -l &",
                environment + "TZ=est05edt04 sh -c done", "display_msg 'second\n'",
                environment + "waitfor /a/b",
            ])
        #expect(
            script.buildfileLines[1]
                == "procmgr_symlink ../../proc/boot/libc.so.3 /usr/lib/ldqnx.so.2")
        #expect(script.buildfileLines[8].hasSuffix("tool -x \"quoted arg\" 'single arg'"))
    }

    @Test(arguments: Fixtures.goldenCases)
    func theFilesAreELFWhereTheInodeSaysSo(name: String) throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage(name))
        for entry in image.directory.entries where entry.inode & 0x8000_0000 != 0 {
            guard case .file = entry.kind else { continue }
            let header = try #require(ELF.Header(try image.head(of: entry)))
            #expect(header.order == image.header.order)
        }
    }

    /// What a file gives does not depend on where it is read from.
    @Test(arguments: Fixtures.goldenCases)
    func imagesReadTheSameFromAFile(name: String) throws {
        let file = Fixtures.golden(name, "expected.ifs")
        let onDisk = try IFS.Image.only(
            in: FileSource(taking: Foundation.open(file.path, O_RDONLY)))
        let inMemory = try IFS.Image.only(in: Fixtures.goldenImage(name))
        for entry in inMemory.directory.entries {
            #expect(
                difference(try onDisk.data(of: entry), try inMemory.data(of: entry)) == nil)
        }
    }
}

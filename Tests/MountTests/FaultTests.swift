import Foundation
import TestSupport
import Testing

/// What cannot be read is an error of its own reader, and no one else's.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct FaultTests {
    private static let inputOutput = SystemError(code: EIO)

    /// The pages of a file that cannot be read, each by its number; those that can are right.
    private func unreadablePages(_ path: Word, _ expected: [UInt8]) throws -> [Int] {
        var bad: [Int] = []
        try Calls.open(path) { descriptor throws in
            for start in stride(from: 0, to: expected.count, by: 4096) {
                do {
                    let found = try Calls.bytes(of: descriptor, at: start, count: 4096)
                    let end = min(expected.count, start + 4096)
                    #expect(difference(found, expected[start..<end]) == nil, "page \(start / 4096)")
                } catch let error as SystemError {
                    #expect(error == Self.inputOutput)
                    bad.append(start / 4096)
                }
            }
        }
        return bad
    }

    /// Data that lies outside the image is an error when it is read, and the rest is served.
    @Test func dataOutsideTheImageIsAnErrorAndTheRestIsRead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try scratch.mount(
            ImageBuilder([
                .file("good", "good"), .file("outside", "x").with { $0.offset = 0x7fff_0000 },
                .file("huge", "x").with { $0.size = .max },
                .file("far", "x").with { ($0.offset, $0.size) = (.max, .max) },
                .file("void", "").with { $0.offset = .max },
            ]))
        for name: Word in ["outside", "huge", "far"] {
            #expect(throws: Self.inputOutput) { try Calls.contents(mount / name) }
        }
        #expect(try Calls.status(mount / "huge").st_size == 0xffff_ffff)
        #expect(try Calls.contents(mount / "void") == [])
        #expect(try Calls.contents(mount / "good") == Array("good".utf8))
        #expect(try Calls.names(mount.path).count == 5)
        let said = try mount.unmount().errorText
        #expect(said.contains("3 entries are left out or doubtful; 'ifsctl check' names them\n"))
    }

    /// A damaged block costs its own bytes and no others: reading them is an input/output error.
    @Test(arguments: [.lzo(isFast: true), .ucl(level: 1)] as [Packing])
    func aDamagedBlockCostsItsOwnBytes(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(700_000, packing)
        var built = image.build()
        let start = try #require(built.dataOffsets.first)
        let damaged = built.blocks[4]
        built.bytes.replaceSubrange(
            damaged.offset..<(damaged.offset + damaged.packedCount),
            with: [UInt8](repeating: 0, count: damaged.packedCount))
        let mount = try scratch.mount(scratch.file("x.ifs", built.bytes))
        let first = (4 * 65536 - start) / 4096
        let last = (5 * 65536 - 1 - start) / 4096
        #expect(try unreadablePages(mount / "file", file) == Array(first...last))
        #expect(throws: Self.inputOutput) { try Calls.contents(mount / "file") }
        #expect(try Calls.names(mount.path) == ["file"])
        #expect(try mount.unmount().errorText.contains("packed block 4"))
    }

    /// A damaged zlib stream is read up to the damage.
    ///
    /// A deflate stream has no other start: what lies behind the damage is lost. Level 0 stores its
    /// blocks, each behind its length and the length's complement, so that damage is seen at once.
    @Test func aDamagedStreamIsReadUpToTheDamage() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(5_000_000, .zlib(level: 0))
        var built = image.build()
        let damage = 2_500_000..<2_600_000
        built.bytes.replaceSubrange(damage, with: [UInt8](repeating: 0xff, count: damage.count))
        let mount = try scratch.mount(scratch.file("x.ifs", built.bytes))
        try Calls.open(mount / "file") { descriptor throws in
            let found = try Calls.bytes(of: descriptor, at: 0, count: 2_400_000)
            #expect(difference(found, file[..<2_400_000]) == nil)
            for place in [2_700_000, 4_900_000] {
                #expect(throws: Self.inputOutput) {
                    _ = try Calls.bytes(of: descriptor, at: place, count: 4096)
                }
            }
        }
        #expect(try Calls.names(mount.path) == ["file"])
    }

    /// Too little memory for an answer must not read as the end of the file.
    @Test(.enabled(if: Machine.has("prlimit"), "prlimit is not installed"))
    func memoryThatIsShortIsAnErrorAndNoEndOfTheFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(3_000_000, .none)
        let mount = try scratch.mount(image)
        let daemon = Daemon(id: mount.server.id)
        try Calls.open(mount / "file", O_RDONLY | Linux.direct) { descriptor throws in
            let read = { try Calls.bytes(of: descriptor, at: 4096, count: 1 << 20) }
            let few = try Calls.bytes(of: descriptor, at: 0, count: 4096)
            #expect(difference(few, file[..<4096]) == nil)
            let size = try #require(daemon.status("VmSize")?.split(separator: " ").first)
            func limit(_ value: String) throws {
                let set = try run(["prlimit", "--pid", "\(daemon.id)", "--as=\(value):"])
                #expect(set.status == 0, "\(set)")
            }
            try limit("\((Int(size) ?? 0) << 10)")
            #expect(throws: SystemError(code: ENOMEM)) { _ = try read() }
            try limit("unlimited")
            #expect(difference(try read(), file[4096..<(4096 + 1 << 20)]) == nil)
        }
    }

    /// Every length of an image: mounted or refused, and what is mounted can be looked through.
    @Test(arguments: [.none, .ucl(level: 1)] as [Packing])
    func anImageCutOffAnywhereIsRefusedOrHasErrors(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let entries = (0..<20).map { ImageEntry.file("f\($0)", SplitMix64.text(5000)) }
        let bytes = ImageBuilder(entries).with { $0.packing = packing }.build().bytes
        var mounted = 0
        for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 16)) {
            let image = try scratch.file("x.ifs", Array(bytes[..<length]))
            switch try scratch.attempt(image) {
            case .refused(let finished):
                #expect((34...35).contains(finished.status), "\(length): \(finished)")
                #expect(finished.errorText.split(separator: "\n").count == 1, "\(length)")
            case .mounted(let mount):
                mounted += 1
                let read = Look.through(mount.path)
                #expect(read.paths == 20, "\(length)")
                // What the last bytes are, a sum, is not read.
                #expect(read.failures > 0 || length > bytes.count - 32, "\(length)")
                #expect(try mount.unmount().status == 0)
            }
        }
        #expect(mounted > 0)
    }
}

/// A walk over a tree that may be damaged.
struct Look {
    private(set) var paths = 0
    /// How many paths gave an error.
    private(set) var failures = 0

    /// Lists, asks and reads everything below `root`, up to 16 MiB of a file; errors are counted.
    static func through(_ root: Word) -> Look {
        var look = Look()
        var pending = [root]
        while let directory = pending.popLast() {
            guard let names = try? Calls.names(directory) else {
                look.failures += 1
                continue
            }
            for name in names {
                let path = directory / name
                look.paths += 1
                guard let status = try? Calls.status(path) else {
                    look.failures += 1
                    continue
                }
                if status.st_mode & S_IFMT == S_IFDIR { pending.append(path) }
                if !look.reads(path, status.st_mode & S_IFMT) { look.failures += 1 }
            }
        }
        return look
    }

    private func reads(_ path: Word, _ kind: mode_t) -> Bool {
        switch kind {
        case S_IFLNK: return (try? Calls.target(path)) != nil
        case S_IFREG:
            let isRead: Void? = try? Calls.open(path) { descriptor throws in
                var place = 0
                while place < 16 << 20 {
                    let count = try Calls.bytes(of: descriptor, at: place, count: 1 << 17).count
                    if count == 0 { break }
                    place += count
                }
            }
            return isRead != nil
        default: return true
        }
    }
}

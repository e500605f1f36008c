import Foundation
import TestSupport
import Testing

/// Many readers, large images, and the ways to read that only the kernel knows.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct LoadTests {
    static let packings: [Packing] = [.zlib(level: 1), .lzo(isFast: true), .ucl(level: 1)]

    /// Many readers at once get the same bytes as one.
    @Test(arguments: packings)
    func eightReadersOfRandomRangesAgreeWithThePlainBytes(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(6_000_000, packing)
        let mount = try scratch.mount(scratch.image(image), "cache=512k")
        let path = mount / "file"
        let problems = Threads.run(8) { reader -> [String] in
            var random = SplitMix64(seed: UInt64(reader))
            var problems: [String] = []
            do {
                // Half of them around the kernel's cache, so that the server has work.
                try Calls.open(path, reader % 2 == 0 ? O_RDONLY : O_RDONLY | Linux.direct) {
                    descriptor throws in
                    for _ in 0..<40 {
                        let start = Int(random.next() % UInt64(file.count - 200_000)) & ~4095
                        let count = Int(random.next() % 48 + 1) * 4096
                        let found = try Calls.bytes(of: descriptor, at: start, count: count)
                        if let problem = difference(found, file[start..<(start + count)]) {
                            problems.append(problem)
                        }
                    }
                }
            } catch {
                problems.append("\(error)")
            }
            return problems
        }
        #expect(problems.flatMap { $0 } == [])
    }

    /// Reading a packed file takes the server its cache and 16 MiB of memory at most.
    ///
    /// The limit is of decoded blocks; tables, buffers and what is being decoded come on top.
    @Test(arguments: packings)
    func memoryStaysWithinTheCacheAndSixteenMebibytes(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(64 << 20, packing)
        let mount = try scratch.mount(scratch.image(image), "cache=4M")
        let daemon = Daemon(id: mount.server.id)
        let path = mount / "file"
        let lengths = Threads.run(4) { reader -> Int in
            // Each its quarter: as many streams as there can be requests.
            let start = reader * (16 << 20)
            var length = 0
            try? Calls.open(path) { descriptor throws in
                for place in stride(from: start, to: start + 16 << 20, by: 1 << 20) {
                    let found = try Calls.bytes(of: descriptor, at: place, count: 1 << 20)
                    if found[...] == file[place..<(place + 1 << 20)] { length += found.count }
                }
            }
            return length  // What could not be read is missing here.
        }
        #expect(lengths == [Int](repeating: 16 << 20, count: 4))
        #expect(daemon.anonymousMemory > 0)
        #expect(daemon.anonymousMemory < 20 << 20)
    }

    /// A file reads the same by read, by mmap and around the kernel's cache.
    @Test(arguments: [.none] + packings)
    func aFileReadsTheSameByEveryWay(packing: Packing) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (image, file) = Samples.large(1_234_567, packing)
        let mount = try scratch.mount(image)
        let path = mount / "file"
        try Calls.open(path, O_RDONLY | Linux.direct) { descriptor throws in
            var found: [UInt8] = []
            while true {
                let next = try Calls.bytes(of: descriptor, at: found.count, count: 1 << 18)
                if next.isEmpty { break }
                found += next
            }
            #expect(difference(found, file) == nil, "O_DIRECT")
        }
        for kind in [MAP_PRIVATE, MAP_SHARED] {
            try Calls.open(path) { descriptor throws in
                let map = mmap(nil, file.count, PROT_READ, kind, descriptor, 0)
                try #require(map != MAP_FAILED)
                defer { munmap(map, file.count) }
                let bytes = UnsafeRawBufferPointer(start: map, count: file.count)
                #expect(difference(Array(bytes), file) == nil, "mmap")
            }
        }
        let sent = try shell("cat \"$1\" >\"$2\"; cmp \"$1\" \"$2\"", path, scratch / "sent")
        #expect(sent.description == "status 0")
        try Calls.open(path) { descriptor throws in
            #expect(
                try Calls.bytes(of: descriptor, at: file.count - 1, count: 10) == file.suffix(1))
            #expect(try Calls.bytes(of: descriptor, at: file.count, count: 10) == [])
            #expect(try Calls.bytes(of: descriptor, at: 1 << 40, count: 10) == [])
        }
    }

    /// A program for the host can be run from a mount.
    @Test func programsRunFromAMount() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let program = try Calls.contents("/bin/true")
        let mount = try scratch.mount(
            ImageBuilder([
                .file("true", program, permissions: 0o755),
                .file("script", "#!/bin/sh\necho \"$1\"\n", permissions: 0o755),
            ]).with { $0.packing = .lzo(isFast: true) })
        #expect(try run([mount / "true"]).status == 0)
        #expect(try run([mount / "script", "word"]).text == "word\n")
    }
}

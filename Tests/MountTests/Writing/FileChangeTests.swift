import Foundation
import TestSupport
import Testing

/// Bytes that are written to a writable mount, by every way there is.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct FileChangeTests {
    private let text = SplitMix64.text(3 << 20)

    /// The kernel hands over a megabyte at a time.
    @Test func whatIsWrittenIsReadAgain() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        #expect(difference(try Calls.contents(path), text) == nil)
        #expect(try Calls.status(path).st_size == 3 << 20)
        #expect(try Calls.status(path).st_blocks == 3 << 11)
        try mount.expectEnding("largest write \(1 << 20)", "writes 3")
    }

    /// Neither opening it again nor a new time is a reason to ask for its bytes.
    @Test func whatTheKernelWroteItNeedNotRead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        let times = [timespec](repeating: timespec(tv_sec: 77, tv_nsec: 0), count: 2)
        #expect(path.withCString { utimensat(AT_FDCWD, $0, times, 0) } == 0)
        try mount.write("file", [text[0]], 0)
        #expect(try Calls.status(path).st_mtim.tv_sec != 77)
        for _ in 0..<2 { #expect(difference(try Calls.contents(path), text) == nil) }
        try mount.expectEnding("reads 0")
    }

    /// Around the kernel's cache as well as through it.
    @Test func directWritesAreWhatIsRead() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        _ = try Calls.contents(path)
        let done = try shell(
            "dd if=/dev/zero of=$1 bs=4k count=3 seek=7 conv=notrunc oflag=direct", path)
        #expect(done.status == 0, "\(done)")
        var expected = text
        for index in (7 * 4096)..<(10 * 4096) { expected[index] = 0 }
        #expect(difference(try Calls.contents(path), expected) == nil)
    }

    @Test func aWriteBehindTheEndLeavesZeros() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1, 2, 3])
        try Calls.open(path, O_RDWR) { file throws in
            #expect(pwrite(file, "x", 1, 9000) == 1)
            #expect(try Calls.bytes(of: file, at: 0, count: 10) == [1, 2, 3, 0, 0, 0, 0, 0, 0, 0])
            #expect(try Calls.bytes(of: file, at: 8998, count: 10) == [0, 0, 0x78])
        }
        #expect(try Calls.status(path).st_size == 9001)
    }

    @Test func truncationCutsAndGrows() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1, 2, 3, 4])
        #expect(path.withCString { truncate($0, 2) } == 0)
        #expect(try Calls.contents(path) == [1, 2])
        #expect(path.withCString { truncate($0, 5000) } == 0)
        #expect(try Calls.contents(path) == [1, 2] + [UInt8](repeating: 0, count: 4998))
        try mount.write("file", [7])
        #expect(try Calls.contents(path) == [7])
        #expect(path.withCString { p in Calls.failure { truncate(p, 1 << 40) } }?.code == EFBIG)
        #expect(try Calls.status(path).st_size == 1)
    }

    @Test func aWriteBeyondTheLimitIsTooLarge() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        try Calls.open(path, O_WRONLY) { file throws in
            #expect(Calls.failure { Int32(pwrite(file, "x", 1, 1 << 30)) }?.code == EFBIG)
        }
        #expect(try Calls.contents(path) == [1])
    }

    /// Eight writers, none of whose lines is lost.
    @Test func appendedLinesAllArrive() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            for writer in 1 2 3 4 5 6 7 8; do
                for line in $(seq 50); do echo "$writer $line"; done >> "$1" &
            done
            wait
            sort -u "$1" | wc -l
            """
        let done = try shell(script, mount / "log")
        #expect(done.description == "status 0; 400\n")
    }

    // MARK: Maps

    @Test func aMapThatIsWrittenToIsTheFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        try Calls.open(path, O_RDWR) { file throws in
            let map = try #require(
                mmap(nil, text.count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
            try #require(map != MAP_FAILED)
            map.storeBytes(of: 0xee, toByteOffset: 2_000_000, as: UInt8.self)
            #expect(try Calls.bytes(of: file, at: 2_000_000, count: 1) == [0xee])
            #expect(msync(map, text.count, Int32(MS_SYNC)) == 0)
            map.storeBytes(of: 0xdd, toByteOffset: 5, as: UInt8.self)
            munmap(map, text.count)
        }
        var expected = text
        (expected[5], expected[2_000_000]) = (0xdd, 0xee)
        #expect(difference(try Calls.contents(path), expected) == nil)
        let sum = expected.reduce(0) { $0 + Int($1) }
        try mount.expectEnding("file file \(text.count) bytes, sum \(sum)")
    }

    /// Programs are made, run and replaced on a mount.
    @Test func aProgramThatWasCopiedRuns() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script = "cp /bin/echo $1; $1 one; cp /bin/printf $1.new; mv $1.new $1; $1 two"
        let done = try shell(Word(script), mount / "program")
        #expect(done.description == "status 0; one\ntwo")
    }

    // MARK: Open files

    @Test func aFileWithoutANameLivesUntilItIsClosed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        try mount.write("other", [1])
        try Calls.open(path, O_RDWR) { file throws in
            #expect(path.withCString { unlink($0) } == 0)
            #expect(pwrite(file, "x", 1, 0) == 1)
            #expect(try Calls.bytes(of: file, at: 0, count: 3) == [0x78] + text[1..<3])
            #expect(
                difference(
                    try Calls.bytes(of: file, at: 1 << 20, count: 1 << 20),
                    text[(1 << 20)..<(2 << 20)]) == nil)
            #expect(ftruncate(file, 10) == 0)
            var found = stat()
            #expect(fstat(file, &found) == 0 && found.st_nlink == 0 && found.st_size == 10)
            try mount.write("file", [9])
            #expect(try Calls.status(path).st_ino != found.st_ino)
        }
        // The root, "linked" and its file, "other" and the new "file".
        try mount.expectEnding("open 0", "nodes 5")
    }

    @Test func aFileThatIsRenamedOverLivesUntilItIsClosed() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("old", [1, 2])
        try mount.write("new", [3])
        try Calls.open(path) { file throws in
            #expect(mount.rename("new", "old") == nil)
            #expect(try Calls.bytes(of: file, at: 0, count: 9) == [1, 2])
            #expect(try Calls.contents(path) == [3])
        }
        try mount.expectEnding("nodes 4")
    }

    @Test func everyOpenIsClosedOnce() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        for _ in 0..<20 { _ = try Calls.contents(path) }
        try mount.expectEnding("closed 21", "open 0")
    }

    @Test func synchronizingReachesTheFileSystem() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [1])
        try Calls.open(path) { file throws in
            #expect(fsync(file) == 0 && fdatasync(file) == 0)
        }
        try Calls.open(mount.path) { #expect(fsync($0) == 0) }
        try mount.expectEnding("synchronized 3")
    }

    // MARK: fallocate

    @Test func fallocateDoesWhatItsModeSays() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [UInt8](repeating: 7, count: 100))
        func size() throws -> off_t { try Calls.status(path).st_size }
        try Calls.open(path, O_RDWR) { file throws in
            #expect(fallocate(file, Linux.keepSize, 50, 100) == 0)
            #expect(try size() == 100)
            #expect(fallocate(file, 0, 90, 20) == 0)
            #expect(try size() == 110)
            #expect(fallocate(file, Linux.punchHole | Linux.keepSize, 10, 5) == 0)
            #expect(fallocate(file, Linux.zeroRange | Linux.keepSize, 95, 100) == 0)
            #expect(try size() == 110)
            #expect(fallocate(file, Linux.zeroRange, 108, 12) == 0)
            #expect(try size() == 120)
            let found = try Calls.bytes(of: file, at: 0, count: 200)
            let zeros = found.indices.filter { found[$0] == 0 }
            #expect(zeros == Array(10..<15) + Array(95..<120))
        }
    }

    @Test func fallocateRefusesOtherModes() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", [UInt8](repeating: 7, count: 8192))
        try Calls.open(path, O_RDWR) { file throws in
            let code = Calls.failure { fallocate(file, Linux.collapseRange, 0, 4096) }?.code
            #expect(code == EOPNOTSUPP)
            #expect(Calls.failure { fallocate(file, 0, 0, 1 << 40) }?.code == EFBIG)
        }
        #expect(try Calls.status(path).st_size == 8192)
    }

    /// What the kernel does without us.
    @Test func copiesAndHolesWorkAsEverywhere() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let path = try mount.write("file", text)
        let script: Word = """
            cp "$1" "$1.2"
            cp --sparse=always "$1" "$1.3"
            cmp "$1" "$1.2"; cmp "$1" "$1.3"
            flock "$1" true
            """
        let done = try shell(script, path)
        #expect(done.status == 0, "\(done)")
        try Calls.open(path) { file throws in
            #expect(lseek(file, 0, 4) == text.count)  // SEEK_HOLE
            #expect(lseek(file, 5, 3) == 5)  // SEEK_DATA
        }
    }
}

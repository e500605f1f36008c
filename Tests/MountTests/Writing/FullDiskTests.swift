import Foundation
import TestSupport
import Testing

/// An image on a disk that gets full: told at the write, or by an umount that fails; nothing is lost, and
/// with more room it is saved.
@Suite(.needsFuse, .needsRoot, .timeLimit(.minutes(20)))
struct FullDiskTests {
    private static let contents = SplitMix64.noise(300_000)
    private static let bytes = ImageBuilder([
        .file("small", Array("small".utf8)), .file("large", contents),
    ]).build().bytes

    /// What is in the mount by what was answered.
    private struct Known {
        var files: [Word: [UInt8]] = [
            "small": Array("small".utf8), "large": FullDiskTests.contents,
        ]
        var wasFull = false
    }

    /// A disk that is full is told at the write, or umount fails: the image and the changes stay.
    ///
    /// Pieces of a fortieth of twice the image's size are free.
    @Test(arguments: 0..<40)
    func aFullDiskLosesNothing(fortieths: Int) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let disk = try scratch.directory("disk")
        let room = Self.bytes.count + fortieths * 2 * Self.bytes.count / 40
        let kibibytes = (room + 4095) / 4096 * 4
        try resize(disk, kibibytes, [])
        defer { _ = try? run(["umount", "-l", disk]) }
        let site = try Site(scratch, in: disk, Self.bytes)
        #expect(try site.mount().status == 0)
        var known = Known()
        for index in 0..<5 { try write(site, "new\(index)", index * 30_000 + 10_000, &known) }
        try append(site, "large", &known)
        try expect(known, in: site)
        let ended = try site.umount()
        if ended.status != 0 {
            try expectRefusal(ended, site)
            try expect(known, in: site)
            try resize(disk, kibibytes + 8 * Self.bytes.count / 1024, ["-o", "remount"])
            #expect(try site.umount().description == "status 0")
        }
        #expect(try Calls.names(disk) == ["x.ifs"])
        #expect(try site.faults() == "")
        #expect(try site.mount("ro").status == 0)
        try expect(known, in: site)
        #expect(try site.umount().status == 0)
        if fortieths < 15 { #expect(known.wasFull) }
    }

    private func resize(_ disk: Word, _ kibibytes: Int, _ words: [Word]) throws {
        let options: [Word] = ["-o", "size=\(kibibytes)k", "tmpfs", disk]
        #expect(try run(["mount", "-t", "tmpfs"] + words + options).status == 0)
    }

    /// One line, and all as it was.
    private func expectRefusal(_ ended: Finished, _ site: Site) throws {
        #expect(ended.status == 32)
        #expect(ended.errorText.contains("No space left on device"), "\(ended)")
        #expect(
            ended.errorText.hasSuffix("'\(site.point)' is still mounted, and nothing is lost\n"))
        #expect(ended.errorText.filter { $0 == "\n" }.count == 1)
        #expect(try difference(site.bytes(), Self.bytes) == nil)
        let names = try Calls.names(site.scratch / "disk").map(\.description)
        #expect(names.allSatisfy { [".x.ifs.stage", "x.ifs"].contains($0) }, "\(names)")
    }

    private func expect(_ known: Known, in site: Site) throws {
        let names = try Calls.names(site.point)
        #expect(Set(names) == Set(known.files.keys))
        for (name, bytes) in known.files {
            let fault = try difference(Calls.contents(site / name), bytes)
            #expect(fault == nil, "\(name): \(fault ?? "")")
        }
    }

    // MARK: Writing until it is full

    private func isFull(_ known: inout Known) throws {
        guard errno == ENOSPC else { throw SystemError(code: errno) }
        known.wasFull = true
    }

    private func write(
        _ site: Site, _ name: Word, _ count: Int, _ known: inout Known
    ) throws {
        let file = (site / name).withCString { open($0, O_CREAT | O_RDWR | O_CLOEXEC, 0o644) }
        guard file >= 0 else { return try isFull(&known) }
        defer { close(file) }
        known.files[name] = []
        try add(SplitMix64.noise(count, seed: UInt64(count)), to: file, name, &known)
    }

    private func append(_ site: Site, _ name: Word, _ known: inout Known) throws {
        let file = (site / name).withCString { open($0, O_RDWR | O_CLOEXEC) }
        guard file >= 0 else { throw SystemError(code: errno) }
        defer { close(file) }
        try add(SplitMix64.noise(50_000), to: file, name, &known)
    }

    /// Writes behind the end. What was not answered is not there: who makes the file longer finds
    /// zeros.
    private func add(
        _ bytes: [UInt8], to file: Int32, _ name: Word, _ known: inout Known
    ) throws {
        let old = known.files[name] ?? []
        let count = bytes.withUnsafeBytes {
            pwrite(file, $0.baseAddress, $0.count, off_t(old.count))
        }
        if count < bytes.count { try isFull(&known) }
        let new = old + bytes.prefix(max(0, count))
        known.files[name] = new
        guard count < bytes.count else { return }
        guard ftruncate(file, off_t(new.count + 50_000)) == 0 else { return try isFull(&known) }
        known.files[name] = new + [UInt8](repeating: 0, count: 50_000)
    }
}

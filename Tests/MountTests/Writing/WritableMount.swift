import Foundation
import TestSupport
import Testing

/// A file system in memory that is mounted for changes by a server of its own: what the kernel asks
/// of it goes the way of every writable mount, and no image is in play.
struct WritableMount {
    let mount: Mount
    private let report: Word

    /// Mounts it; `words` are those of the program MemoryMount.
    init(_ scratch: Scratch, _ words: Word..., deadline: Double = 60) throws {
        report = scratch / "report"
        let command = [Self.program, report, try scratch.directory("m")] + words
        switch try scratch.attempt(command, at: "m", deadline: deadline) {
        case .mounted(let mount): self.mount = mount
        case .refused(let finished): throw Failure("cannot mount: \(finished)")
        }
    }

    /// Beside the tests, which it is built with.
    static let program: Word = {
        let tests = (try? Calls.target("/proc/self/exe")) ?? []  // Else it is not found there.
        return Word(Array(tests[..<(tests.lastIndex(of: UInt8(ascii: "/")) ?? 0)])) / "MemoryMount"
    }()

    static func / (mount: WritableMount, name: Word) -> Word { mount.mount / name }

    var path: Word { mount.path }

    /// Unmounts, and expects lines of what the server says of the changes when all is over.
    func expectEnding(_ lines: String...) throws {
        // The kernel does not wait for what it tells the server of a closed file, nor does an unmount.
        _ = try within(20) { try Calls.statistics(path).f_ffree == 0 ? true : nil }
        let finished = try mount.unmount()
        #expect(finished.status == 0, "\(finished)")
        let found = try ending()
        for line in lines { #expect(found.contains(line), "\(found)") }
    }

    /// What the server has said when it ended, line by line.
    func ending() throws -> [String] {
        String(decoding: try Calls.contents(report), as: UTF8.self).split(separator: "\n")
            .map(String.init)
    }

    /// Writes a file anew.
    @discardableResult
    func write(_ name: Word, _ bytes: [UInt8], _ flags: Int32 = O_TRUNC) throws -> Word {
        let path = self / name
        try Self.opened(path, O_WRONLY | O_CREAT | flags) { file throws in
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw SystemError(code: errno) }
            guard count == bytes.count else { throw Failure("\(path): wrote \(count) bytes") }
        }
        return path
    }

    /// Opens a file, perhaps a new one, for the time of `body`.
    static func opened<Result>(
        _ path: Word, _ flags: Int32, mode: mode_t = 0o644, _ body: (Int32) throws -> Result
    ) throws -> Result {
        let file = path.withCString { open($0, flags | O_CLOEXEC, mode) }
        guard file >= 0 else { throw SystemError(code: errno) }
        defer { close(file) }
        return try body(file)
    }

    /// Names of the root, without the one that is there from the start.
    func names() throws -> [Word] { try Calls.names(path).filter { $0 != "linked" } }

    /// Renames within the root as renameat2(2) does; the error, nil for none.
    func rename(_ name: Word, _ new: Word, _ flags: UInt32 = 0) -> SystemError? {
        (self / name).withCString { old in
            (self / new).withCString { new in
                Calls.failure { renameat2(AT_FDCWD, old, AT_FDCWD, new, flags) }
            }
        }
    }
}

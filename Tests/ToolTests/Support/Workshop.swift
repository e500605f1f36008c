import Foundation
import TestSupport
import Testing

/// A folder with host files and a buildfile, `b.build`, of which mkifs makes `b.ifs`.
struct Workshop {
    let folder: TemporaryFolder
    /// The folder for temporary files, which are to be gone behind each run.
    let temporary: TemporaryFolder
    var environment: [String: String] = [:]

    init() throws {
        folder = try TemporaryFolder()
        temporary = try TemporaryFolder()
    }

    /// Writes a host file, and makes the folders that it lies in.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws -> String {
        let path = folder.path(name)
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try folder.write(bytes, to: name)
        chmod(path, mode)
        return path
    }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    @discardableResult
    func write(_ program: HostProgram, to name: String, mode: mode_t = 0o755) throws -> String {
        try write(program.bytes, to: name, mode: mode)
    }

    /// A file of the folder as text.
    func text(_ name: String) throws -> String {
        String(decoding: try folder.bytes(name), as: UTF8.self)
    }

    /// Where the startup program runs: 256 bytes behind the address of the loaded prefix, which is
    /// at 4 MiB unless told.
    static let runAddress: UInt64 = 0x40_0100

    /// Writes `kit.boot`, `startup` and `procnto`, which need no linker: the startup for where it
    /// runs, procnto for a page behind the first whole page that is free there.
    func writeBootFiles(
        _ bootfile: String = "[default_image=4m]", runAddress: UInt64 = runAddress,
        procnto: UInt64? = nil
    ) throws {
        try write(bootfile, to: "kit.boot")
        try write(.program(at: runAddress, HostProgram.placeHolder), to: "startup")
        try write(.ordinary(at: procnto ?? runAddress & ~0xfff + 0x3000), to: "procnto")
    }

    /// A boot section for these files, with a linker that copies.
    static func boot(_ value: String = "x86,kit", linker: String = "cp %i %o") -> String {
        """
        [search=.]
        [linker="(;2;)\(linker)"]
        [virtual=\(value)] boot = {
            startup
            procnto
        }

        """
    }

    // MARK: Building

    /// Runs mkifs on a buildfile of this text.
    func run(_ text: String, _ options: [String] = []) throws -> Child.Outcome {
        try write(text, to: "b.build")
        return try run(options + ["b.build", "b.ifs"])
    }

    /// Runs mkifs with these arguments.
    func run(_ arguments: [String]) throws -> Child.Outcome {
        try mkifs(arguments, in: folder) {
            $0.environment = environment.merging(["TMPDIR": temporary.url.path]) { own, _ in own }
        }
    }

    /// The image of this text, which mkifs makes without a word.
    func image(
        _ text: String, _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> WorkshopImage {
        expectSuccess(try run(text, options), sourceLocation: sourceLocation)
        #expect(try temporary.names() == [], sourceLocation: sourceLocation)
        return try built()
    }

    /// The image that was made.
    func built(_ name: String = "b.ifs") throws -> WorkshopImage {
        try WorkshopImage(folder, name)
    }

    /// Runs mkifs on text that it refuses, and expects exactly these lines, status 1, and nothing
    /// new in the folder or among the temporary files.
    func expectRefusal(
        _ text: String, _ options: [String] = [], saying lines: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try write(text, to: "b.build")
        let before = try folder.names()
        let outcome = try run(options + ["b.build", "b.ifs"])
        expectFailure(outcome, saying: lines, sourceLocation: sourceLocation)
        #expect(outcome.output == [], sourceLocation: sourceLocation)
        #expect(try folder.names() == before, sourceLocation: sourceLocation)
        #expect(try temporary.names() == [], sourceLocation: sourceLocation)
    }
}

/// An image that was built: its bytes, and what `dumpifs --json` says of it.
struct WorkshopImage {
    let bytes: [UInt8]
    let report: Report
    private let folder: TemporaryFolder
    private let name: String

    init(_ folder: TemporaryFolder, _ name: String) throws {
        self.folder = folder
        self.name = name
        bytes = try folder.bytes(name)
        let outcome = try dumpifs(["--json", "--verify", name], in: folder)
        expectSuccess(outcome)
        report = try Report(outcome.output)["images"][0]
    }

    var startup: Report { report["startup"] }
    var header: Report { report["image"] }
    var entries: [Report] { report["entries"].elements }
    /// The paths of all entries, the root's left out.
    var paths: [String] { entries.compactMap { $0["path"].text }.filter { !$0.isEmpty } }

    /// The entry of a path.
    subscript(_ path: String) -> Report {
        get throws {
            try #require(entries.last { $0["path"].text == path }, "no \(path) in \(paths)")
        }
    }

    /// A 32-bit number of the file, little-endian.
    func word(_ offset: Int) -> UInt64 { UInt64(bytes.integer(UInt32.self, at: offset)) }

    /// Where the image header is in the file.
    var imageOffset: Int { Int(report["stored_offset"].number ?? 0) }

    /// The bytes of a file that is not packed.
    func contents(_ path: String) throws -> [UInt8] {
        let entry = try self[path]
        let start = imageOffset + Int(try #require(entry["offset"].number))
        let end = start + Int(try #require(entry["size"].number))
        try #require(end <= bytes.count)
        return Array(bytes[start..<end])
    }

    /// The same as text.
    func text(_ path: String) throws -> String {
        String(decoding: try contents(path), as: UTF8.self)
    }

    /// Where a file lies in the target's memory.
    func address(_ path: String) throws -> UInt64 {
        let base = startup["image_paddr"].number ?? 0
        let offset = try #require(try self[path]["offset"].number)
        return base + (startup["startup_size"].number ?? 0) + offset
    }

    /// The permission bits of an entry, in octal.
    func mode(_ path: String) throws -> String? { try self[path]["mode"].text }

    /// The image as a listing.
    func listing(_ level: String = "-vv") throws -> Child.Outcome {
        let outcome = try dumpifs([level, name], in: folder)
        expectSuccess(outcome)
        return outcome
    }
}

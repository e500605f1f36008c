import Format
import Foundation
import IFSFS
import TestSupport
import Testing

/// Power that is cut at any moment: the calls of a server on its disk are recorded, and replayed up to
/// each of them, with more or less of what was not synchronized by then.
@Suite(.needsFuse, .needsTrace, .timeLimit(.minutes(20)))
struct PowerCutTests {
    /// What a server did for a script of changes and for umount.
    private struct Recording {
        let before: [UInt8]
        let after: [UInt8]
        let script: EditScript
        let record: RecordedCalls
        let folder: Word
        /// The file of the edit log, and what `origin` and `saved` say when they are whole.
        let log: RecordedCalls.File?
        private var texts: [Word: [UInt8]] = [:]

        static func hasPieces(_ seed: UInt64) -> Bool { seed % 10 == 5 }

        init(_ scratch: Scratch, seed: UInt64) throws {
            folder = try scratch.directory("disk")
            // Of more than 1 MiB, only pieces come to the stage.
            let size = Self.hasPieces(seed) ? 1_200_000 : 30_000
            let builder = ImageBuilder([
                .directory("dir"), .file("dir/large", SplitMix64.noise(size)),
                .file("small", SplitMix64.text(3000)), .file("dir/other", SplitMix64.text(900)),
            ])
            before = builder.with { $0.packing = seed % 2 == 0 ? .none : .lzo() }.build().bytes
            let image = try scratch.file("image.ifs", before, in: folder)
            script = EditScript(
                try KnownTree(StagedImage(before).fileSystem), count: 30, seed: seed)
            let trace = scratch / "trace"
            let server: [Word] = [
                Machine.tool("mount.ifs"), "-F", "-o", "rw", image, try scratch.directory("m"),
            ]
            let attempt = try scratch.attempt(
                RecordedCalls.command(into: trace) + server, at: "m", deadline: 300)
            guard case .mounted(let mount) = attempt else { throw Failure("\(attempt)") }
            for call in script.calls { try call.run(in: mount.path) }
            let ended = try run([Machine.tool("umount.ifs"), mount.path])
            #expect(ended.description == "status 0")
            #expect(try mount.wait().status == 0)
            after = try Calls.contents(image)
            let record = try RecordedCalls(
                try Calls.contents(trace), of: folder, holding: ["image.ifs"])
            self.record = record
            log = record.names.firstIndex { $0.description.contains(".stage/edits") }
            for call in record.calls {
                guard case .write(let file, let bytes, 0) = call else { continue }
                texts[record.names[file]] = bytes
            }
        }

        func disk(after count: Int, _ luck: CutDisk.Luck, _ random: inout SplitMix64) -> CutDisk {
            CutDisk(record, holding: [(folder / "image.ifs", before)], after: count, luck, &random)
        }

        /// How many calls of the script are safe, since one of them was a synchronization that had
        /// ended by then.
        func safeCalls(after count: Int) -> Int {
            // The names of all contents, then the log: who removes contents synchronizes it alone.
            let done = record.calls[..<count].indices.dropFirst().filter { index in
                guard case .synchronizeDirectory = record.calls[index - 1] else { return false }
                return record.calls[index] == log.map { .synchronize($0, isWhole: false) }
            }.count
            let places = script.calls.indices.filter {
                if case .synchronize = script.calls[$0] { true } else { false }
            }
            return done == 0 || places.isEmpty ? 0 : places[min(done, places.count) - 1] + 1
        }

        /// The disk as a folder. Files have other numbers and times than they had; what speaks of
        /// those speaks of these then.
        func folder(of disk: CutDisk) throws -> ScratchFolder {
            let made = try ScratchFolder()
            func place(_ path: Word) -> String {
                made.path + String(path.description.dropFirst(folder.description.count))
            }
            for path in disk.directories.sorted(by: { $0.bytes.count < $1.bytes.count }) {
                mkdir(place(path), 0o700)
            }
            let target = made.path + "/image.ifs"
            func write(_ path: Word, _ bytes: [UInt8]) throws {
                try Data(bytes).write(to: URL(fileURLWithPath: place(path)))
            }
            for (path, file) in disk.files { try write(path, disk.bytes[file] ?? []) }
            let origin = StageOrigin(of: Array(target.utf8), 1).text
            let holdsOld = disk.files[folder / "image.ifs"] == 0
            for (path, file) in disk.files where disk.bytes[file] == texts[record.names[file]] {
                if path.bytes.ends(with: "/origin"), holdsOld { try write(path, origin) }
                guard path.bytes.ends(with: "/saved"), !holdsOld else { continue }
                let lines = origin.split(separator: 10, omittingEmptySubsequences: false)
                try write(path, Array(lines[1..<4].joined(separator: [10])) + [10])
            }
            return made
        }
    }

    /// Those that have found most.
    static let seeds: [UInt64] = LongRun.isOn ? Array(0..<40) : [0, 1, 3, 9, 5, 15]

    /// Seeds of changes; each is cut everywhere.
    @Test(arguments: seeds)
    func afterAPowerCutTheImageIsOldOrNewAndChangesAreFound(seed: UInt64) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let recording = try Recording(scratch, seed: seed)
        var random = SplitMix64(seed: seed)
        let count = recording.record.calls.count
        // The record is whole: replayed to its end, it gives what is there.
        let last = recording.disk(after: count, .all, &random)
        #expect(last.files.keys.map(\.description) == ["\(recording.folder)/image.ifs"])
        #expect(try difference(#require(last.bytes.first?.value), recording.after) == nil)
        #expect(recording.log != nil && count > 60)
        var seen: Set<CutDisk> = []
        for place in 0...count {
            for luck in CutDisk.Luck.allCases + [.some] {
                let disk = recording.disk(after: place, luck, &random)
                let isNew = seen.insert(disk).inserted
                guard isNew || luck == .nothing else { continue }
                do {
                    try judge(recording, disk, safe: recording.safeCalls(after: place))
                } catch {
                    let call = place < count ? "\(recording.record.calls[place])" : "the end"
                    Issue.record("cut before call \(place), \(call.prefix(200)), \(luck): \(error)")
                    return
                }
            }
        }
    }

    /// Throws what is wrong.
    private func judge(_ recording: Recording, _ disk: CutDisk, safe: Int) throws {
        let folder = try recording.folder(of: disk)
        let image = try StagedImage(in: folder)
        let bytes = try image.bytes()
        let isOld = bytes == recording.before
        guard isOld || bytes == recording.after else { throw Failure("neither old nor new") }
        let opened = try StagedImage.open(image.path)
        let edited = EditedImage(opened, CommitSettings(image.path, number: 1)) { opened }
        if edited.hasEditsOfAnother { _ = try edited.resume() }
        let tree = try KnownTree(edited.fileSystem)
        if isOld {
            if let fault = CutScript(recording.script).fault(of: tree, safe: safe) {
                throw Failure(fault)
            }
        } else {
            let faults = tree.differences(recording.script.trees.last ?? tree)
            guard faults.isEmpty else { throw Failure("new, but \(faults)") }
        }
        _ = try edited.commit.run(isLast: true)
        guard try image.names() == ["image.ifs"] else {
            throw Failure("left: \(try image.names())")
        }
        let again = try StagedImage(in: folder)
        guard try KnownTree(again.fileSystem) == tree else {
            throw Failure("saved as another tree")
        }
        let faults = try StagedImage.open(image.path).volume.image.check()
        guard faults.isEmpty else { throw Failure("\(faults)") }
    }
}

/// A script of which the power cut has let something come to the disk.
private struct CutScript {
    private let script: EditScript
    /// Which file a path leads to before each call, and after the last.
    private var files: [[Word: Int]] = []
    /// By file: the calls that change its bytes, that synchronize it, and that put it in another's
    /// place.
    private var writes: [Int: [Int]] = [:]
    private var syncs: [Int: [Int]] = [:]
    private var replacements: [Int: [Int]] = [:]

    init(_ script: EditScript) {
        self.script = script
        var now: [Word: Int] = [:]
        for path in script.trees[0].nodes.keys { now[path] = now.count }
        var next = now.count
        for (index, call) in script.calls.enumerated() {
            files.append(now)
            switch call {
            case .make(let path), .makeDirectory(let path), .link(let path, _):
                now[path] = next
                next += 1
            case .write(let path, _, _), .truncate(let path, _):
                if let file = now[path] { writes[file, default: []].append(index) }
            case .synchronize(let path):
                if let file = now[path] { syncs[file, default: []].append(index) }
            case .rename(let path, let new):
                guard path != new, let file = now.removeValue(forKey: path) else { continue }
                if now[new] != nil { replacements[file, default: []].append(index) }
                now[new] = file
            case .remove(let path): now[path] = nil
            case .mode: break
            }
        }
        files.append(now)
    }

    /// Why a tree is that of no moment after the first `safe` calls, by the nearest one; nil if it is that
    /// of some. Files whose bytes nobody has synchronized since they were changed may hold anything.
    func fault(of tree: KnownTree, safe: Int) -> String? {
        let moments = safe...script.calls.count
        let nearest = moments.map { ($0, differences(tree, of: $0, safe)) }
            .min { $0.1.count < $1.1.count }
        guard let (moment, faults) = nearest, !faults.isEmpty else { return nil }
        let next = script.calls[min(moment, script.calls.count - 1)]
        return
            "\(safe) calls are safe; the tree after \(moment), before \("\(next)".prefix(60)), is"
            + " the nearest: \(faults)"
    }

    private func differences(_ tree: KnownTree, of moment: Int, _ safe: Int) -> [String] {
        var (found, expected) = (tree, script.trees[moment])
        for (path, node) in expected.nodes {
            guard case .file(_, let mode) = node, isOpen(path, moment, safe),
                case .file(_, mode)? = tree.nodes[path]
            else { continue }
            (found.nodes[path], expected.nodes[path]) = (nil, nil)
        }
        return found.differences(expected)
    }

    private func isOpen(_ path: Word, _ moment: Int, _ safe: Int) -> Bool {
        guard let file = files[moment][path] else { return false }
        let kept =
            syncs[file, default: []].filter { $0 < safe }
            + replacements[file, default: []].filter { $0 < moment }
        let last = kept.max() ?? -1
        return writes[file, default: []].contains { $0 > last }
    }
}

extension KnownTree {
    /// The tree of a file system that is not mounted.
    fileprivate init(_ fileSystem: any FileSystem) throws {
        var open: [(Word, NodeID)] = [("", .root)]
        while let (above, directory) = open.popLast() {
            var found: [(Word, Attributes)] = []
            try fileSystem.entries(of: directory, from: 2) { _, name, attributes in
                found.append((Word(Array(name)), attributes))
                return true
            }
            for (name, attributes) in found {
                let path = above.bytes.isEmpty ? name : above / name
                nodes[path] = try Self.node(attributes, fileSystem)
                if attributes.kind == .directory { open.append((path, attributes.node)) }
            }
        }
    }

    private static func node(
        _ attributes: Attributes, _ fileSystem: any FileSystem
    ) throws -> Node {
        switch attributes.kind {
        case .directory: return .directory
        case .symlink: return .link(try fileSystem.target(of: attributes.node))
        default:
            var bytes = [UInt8](repeating: 0, count: Int(attributes.byteCount) + 1)
            let count = try bytes.withUnsafeMutableBytes {
                try fileSystem.read(attributes.node, into: $0, at: 0)
            }
            return .file(Array(bytes.prefix(count)), mode: attributes.permissions)
        }
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool {
        suffix(text.utf8.count).elementsEqual(text.utf8)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where no program's calls can be recorded.
    static var needsTrace: Self {
        .enabled(
            if: (try? run(["strace", "-o", "/dev/null", "true"]).status) == 0,
            "strace is not installed or may not trace")
    }
}

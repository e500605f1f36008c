import Dispatch
import Format
import Glibc
import ToolSupport

/// Writes an image's tree into a directory, and nothing outside it.
///
/// Every name is opened relative to its parent's descriptor and no link is ever followed, so neither
/// the image's own links nor those that lie in the directory lead out. Files are copied in pieces by
/// several threads, which is what packed images need.
struct Extractor {
    struct Options: Sendable {
        /// Base names only, without directories.
        var flattens = false
        /// Keep setuid and setgid bits; as root make devices.
        var preserves = false
        /// Only these paths (base names where flattened); empty for all.
        var paths: [[UInt8]] = []
        /// Only entries with these base names; empty for all.
        var names: [[UInt8]] = []
        /// Threads; 0 for one a processor.
        var jobs = 0
        /// Whether the outcome tells the paths of what was made.
        var tells = false

        /// Whether directories are made for themselves and not just for what lies in them.
        var makesDirectories: Bool { paths.isEmpty && names.isEmpty && !flattens }
    }

    struct Outcome {
        /// What was made, in the order of the tree, if that was to be told.
        var paths: [[UInt8]]
        var isComplete: Bool
    }

    private let volume: IFS.ImageVolume
    private let options: Options
    private let target: Argument
    private let imageName: Argument
    private let diagnostics: Diagnostics

    init(
        _ image: IFS.Image, into target: Argument, _ options: Options, _ imageName: Argument,
        _ diagnostics: Diagnostics
    ) throws(ToolError) {
        do throws(FormatError) {
            volume = try IFS.ImageVolume(image, partial: true)
        } catch {
            throw ToolError(error, in: imageName)
        }
        self.options = options
        self.target = target
        self.imageName = imageName
        self.diagnostics = diagnostics
    }

    /// Extracts what was asked for. A file that cannot be read or written is told and left out; the
    /// others follow. Throws when the directory itself cannot be used.
    func run() throws(ToolError) -> Outcome {
        let isNew = unsafe target.withCString { unsafe mkdir($0, 0o777) } == 0
        let descriptor = unsafe target.withCString {
            unsafe open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw ToolError("cannot use as a directory", target, errno: errno)
        }
        defer { close(descriptor) }
        let top = Directory()
        let newMode: mode_t = options.makesDirectories ? 0o700 : 0o777
        var walk = TreeWalk(volume, options, Cursor(top, descriptor, newMode: newMode))
        walk.visit(.root, path: [], top)
        walk.placeFlattened(in: top)
        copy(walk.copies) { Cursor(top, descriptor, newMode: newMode) }
        walk.finishDirectories()
        if isNew { walk.finishRoot(descriptor) }
        return report(walk)
    }

    /// No machine has more processors than this for one extraction.
    private static let mostJobs = 1024

    /// Copies the files, on all processors; each thread moves among directories by a cursor of its own.
    private func copy(_ copies: [FileCopy], _ makeCursor: @Sendable () -> Cursor) {
        let current = Lock((file: 0, piece: UInt64(0)))
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let jobs = min(options.jobs > 0 ? options.jobs : processors, Self.mostJobs)
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            let cursor = makeCursor()
            let size = Int(FileCopy.pieceSize)
            unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 4096) { room in
                var pieces = Self.nextPieces(of: copies, current)
                while !pieces.isEmpty {
                    for (copy, piece) in pieces {
                        unsafe copy.copy(piece, from: volume, cursor, room)
                    }
                    pieces = Self.nextPieces(of: copies, current)
                }
            }
        }
    }

    /// The next pieces to copy; none behind the last. Small files come several at a time: neighbours
    /// lie in one packed block, which one thread decodes while the others would wait.
    private static func nextPieces(
        of copies: [FileCopy], _ current: borrowing Lock<(file: Int, piece: UInt64)>
    ) -> [(FileCopy, UInt64)] {
        current.withLock { current in
            var pieces: [(FileCopy, UInt64)] = []
            var byteCount: UInt64 = 0
            while current.file < copies.count, byteCount < FileCopy.pieceSize {
                let copy = copies[current.file]
                pieces.append((copy, current.piece))
                // An empty file costs its making.
                byteCount += max(copy.byteCount(of: current.piece), 4096)
                current.piece += 1
                if current.piece == copy.pieceCount { current = (current.file + 1, 0) }
            }
            return pieces
        }
    }

    private func report(_ walk: TreeWalk) -> Outcome {
        let faults =
            walk.faults
            + walk.copies.compactMap { copy in copy.fault.map { (copy.path, $0) } }
        for (path, fault) in faults {
            diagnostics.say(
                "\(printable(target.bytes))/\(printable(path)): \(fault.description)")
        }
        for path in walk.leftOut {
            diagnostics.say(
                "\(printable(path)): a device or socket, left out (--preserve as root makes it)")
        }
        for (path, winner) in walk.overruled {
            diagnostics.say(
                "\(printable(path)): left out, for \(printable(winner)) has the same base name")
        }
        let missing = options.paths.filter { !walk.matched.contains($0) }
        for path in missing {
            diagnostics.say("\(printable(imageName.bytes)): not in the image: \(printable(path))")
        }
        let failed = Set(faults.map(\.0))
        return Outcome(
            paths: walk.made.filter { !failed.contains($0) },
            isComplete: faults.isEmpty && missing.isEmpty)
    }
}

/// Goes through a tree: makes directories, links and special files, and gathers the files to copy.
struct TreeWalk {
    private let volume: IFS.ImageVolume
    private let options: Extractor.Options
    private let cursor: Cursor
    private let metadata: Metadata
    private let isRoot = geteuid() == 0
    private(set) var copies: [FileCopy] = []
    private(set) var made: [[UInt8]] = []
    private(set) var matched: Set<[UInt8]> = []
    private(set) var leftOut: [[UInt8]] = []
    /// Entries that lose their base name to another, and the path of that.
    private(set) var overruled: [(path: [UInt8], winner: [UInt8])] = []
    private(set) var faults: [(path: [UInt8], fault: ExtractionFault)] = []
    /// What gets a base name as its only one, once it is known who has which.
    private var flattened: [(path: [UInt8], attributes: Attributes)] = []
    private let mask = creationMask()
    private var directories: [(directory: Directory, attributes: Attributes)] = []

    init(_ volume: IFS.ImageVolume, _ options: Extractor.Options, _ cursor: Cursor) {
        self.volume = volume
        self.options = options
        self.cursor = cursor
        metadata = Metadata(keepsSetID: options.preserves, setsOwner: isRoot)
    }

    /// Everything below `node`, which lies at `path` and goes into `directory`.
    mutating func visit(_ node: NodeID, path: [UInt8], _ directory: Directory) {
        var entries: [(name: [UInt8], node: NodeID)] = []
        unsafe volume.entries(of: node, from: 0) { _, name, node in
            entries.append((unsafe Array(name), node))
            return true
        }
        for (name, node) in entries {
            guard let attributes = volume.attributes(of: node) else { continue }
            let entry = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            if attributes.kind != .directory {
                guard isWanted(entry) else { continue }
                if options.flattens {
                    flattened.append((entry, attributes))
                } else {
                    place(attributes, entry, name, in: directory)
                }
            } else if options.flattens {
                visit(node, path: entry, directory)
            } else {
                let child = Directory(name, in: directory)
                if options.makesDirectories || isWanted(entry) {
                    guard makeDirectory(attributes, entry, child) else { continue }
                }
                visit(node, path: entry, child)
            }
        }
    }

    /// Places what goes by its base name; of equal ones the image's last, as with equal paths.
    mutating func placeFlattened(in directory: Directory) {
        var winners: [[UInt8]: (path: [UInt8], record: UInt32)] = [:]
        for (path, attributes) in flattened {
            let record = volume.entry(of: attributes.node)?.recordOffset ?? 0
            if let other = winners[lastComponent(path)], other.record > record { continue }
            winners[lastComponent(path)] = (path, record)
        }
        for (path, attributes) in flattened {
            let name = lastComponent(path)
            if let winner = winners[name]?.path, winner != path {
                overruled.append((path, winner))
            } else {
                place(attributes, path, name, in: directory)
            }
        }
    }

    /// Gives the directories their modes and times, innermost first.
    func finishDirectories() {
        for (directory, attributes) in directories.reversed() {
            // It was made; what keeps it from being entered again was told with its files.
            try? cursor.withDescriptor(of: directory) { descriptor throws(ExtractionFault) in
                metadata.apply(attributes, to: descriptor)
            }
        }
    }

    /// Gives a target that was made for the purpose the mode and time of the image's root.
    func finishRoot(_ descriptor: Int32) {
        guard options.makesDirectories, let root = volume.attributes(of: .root) else { return }
        metadata.apply(ownAttributes(root), to: descriptor)
    }

    /// The attributes to give a directory. One that the image does not list is as any new one; what a
    /// mount shows of it, a directory that nobody may write, would only stand in its owner's way.
    private func ownAttributes(_ directory: Attributes) -> Attributes {
        guard volume.entry(of: directory.node) == nil else { return directory }
        var own = directory
        own.permissions = 0o777 & ~mask
        return own
    }

    private func isWanted(_ path: [UInt8]) -> Bool {
        let name = lastComponent(path)
        if !options.names.isEmpty, !options.names.contains(name) { return false }
        return options.paths.isEmpty || options.paths.contains(options.flattens ? name : path)
    }

    private mutating func makeDirectory(
        _ attributes: Attributes, _ path: [UInt8], _ directory: Directory
    ) -> Bool {
        do throws(ExtractionFault) {
            let isListed = volume.entry(of: attributes.node) != nil
            let isNew = try cursor.make(directory, isOpening: isListed)
            // One that was there and that the image does not list stays as it was.
            if isNew || isListed {
                directories.append((directory, ownAttributes(attributes)))
            }
            if !options.paths.isEmpty { matched.insert(path) }
            if options.tells { made.append(path) }
            return true
        } catch {
            faults.append((path, error))
            return false
        }
    }

    private mutating func place(
        _ attributes: Attributes, _ path: [UInt8], _ name: [UInt8], in directory: Directory
    ) {
        if !options.paths.isEmpty { matched.insert(options.flattens ? name : path) }
        switch attributes.kind {
        case .characterDevice, .blockDevice, .socket:
            guard options.preserves, isRoot else { return leftOut.append(path) }
        case .file:
            copies.append(FileCopy(path, name, in: directory, attributes, metadata))
        case .fifo, .symlink, .directory: break
        }
        if options.tells { made.append(path) }
        guard attributes.kind != .file else { return }
        do throws(ExtractionFault) {
            try cursor.withDescriptor(of: directory) { descriptor throws(ExtractionFault) in
                try clear(name, in: descriptor)
                try make(attributes, name, in: descriptor)
                metadata.apply(attributes, to: name, in: descriptor)
            }
        } catch {
            faults.append((path, error))
        }
    }

    private func make(
        _ attributes: Attributes, _ name: [UInt8], in directory: Int32
    ) throws(ExtractionFault) {
        let target = volume.target(of: attributes.node)
        let failure = unsafe withName(name) { name in
            if let target {
                return unsafe withName(target) { target in
                    unsafe symlinkat(target, directory, name) == 0 ? 0 : errno
                }
            }
            // Nobody's until its mode is set.
            return unsafe mknodat(
                directory, name, attributes.kind.rawValue, Self.number(of: attributes)) == 0
                ? 0 : errno
        }
        if failure != 0 { throw ExtractionFault("cannot make", errno: failure) }
    }

    /// The device number as Linux packs it.
    private static func number(of attributes: Attributes) -> dev_t {
        let (major, minor) = attributes.device
        return dev_t(major & 0xfff) << 8 | dev_t(minor & 0xff) | dev_t(minor >> 8) << 20
    }
}

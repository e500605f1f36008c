import Foundation
import TestSupport

/// A walk over the mount of a damaged image: everything is listed, asked and read, and held against
/// what the file can be read as.
struct Inspection {
    /// What is wrong, in the order of the walk.
    private(set) var problems: [String] = []
    /// Every path that the mount shows.
    private(set) var paths: Set<Word> = []
    private let root: Word
    private let readings: [Reading]
    private let seed: UInt64

    /// Looks through the mount on `root`; `seed` decides which files are mapped as well.
    init(_ root: Word, _ readings: [Reading], seed: UInt64) {
        self.root = root
        self.readings = readings
        self.seed = seed
        var pending: [Word] = [""]
        while let directory = pending.popLast() {
            let isRoot = directory.bytes.isEmpty
            let names = attempt(directory) { try Calls.names(isRoot ? root : root / directory) }
            for name in names ?? [] {
                let path = isRoot ? name : directory / name
                paths.insert(path)
                inspect(path, &pending)
            }
        }
    }

    /// No error is right here: listing and asking read nothing that was not checked by then.
    private mutating func attempt<Result>(_ path: Word, _ body: () throws -> Result) -> Result? {
        do {
            return try body()
        } catch {
            problems.append("'\(path)': \(error)")
            return nil
        }
    }

    private mutating func inspect(_ path: Word, _ pending: inout [Word]) {
        let place = root / path
        guard let status = attempt(path, { try Calls.status(place) }) else { return }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: pending.append(path)
        case S_IFLNK: inspectLink(path)
        case S_IFREG: inspectFile(path, Int(status.st_size))
        default: break
        }
    }

    /// Linux reads no target of more than 4095 bytes.
    private mutating func inspectLink(_ path: Word) {
        let expected = records(path, type: 0xa000).map(\.record.target)
        do {
            let target = try Calls.target(root / path)
            if !expected.contains(target) { problems.append("'\(path)': another target") }
        } catch {
            let isRight =
                error as? SystemError == SystemError(code: EIO)
                && expected.contains { $0.count > 4095 }
            if !isRight { problems.append("'\(path)': \(error)") }
        }
    }

    private func records(
        _ path: Word, type: UInt32
    ) -> [(reading: Reading, record: Reading.Record)] {
        readings.flatMap { reading in
            reading.records.filter { $0.type == type && $0.path == path }.map { (reading, $0) }
        }
    }

    // MARK: Files

    private mutating func inspectFile(_ path: Word, _ size: Int) {
        let records = records(path, type: 0x8000).filter { $0.record.data.count == size }
        if records.isEmpty {
            // A named special stands as an empty file.
            if size > 0 || self.records(path, type: 0x5000).isEmpty {
                problems.append("'\(path)': no such file of \(size) bytes is in the directory")
            }
            return
        }
        let isMapped = (UInt64(paths.count) &+ seed) % 4 == 0
        let place = root / path
        for way in isMapped ? [ReadingWay.map, .read] : [.read] {
            guard let read = attempt(path, { try FileRead(place, size, way) }) else { return }
            let faults = records.map { reading, record in
                read.fault(reading, at: record.data.offset)
            }
            // One of the readings must explain everything.
            if !faults.contains(nil), let fault = faults.first {
                problems.append("'\(path)' by \(way): \(fault ?? "")")
            }
        }
    }
}

/// How a file's bytes come.
enum ReadingWay {
    case read
    /// The kernel copies out of a map, so that what cannot be read is an error and no signal.
    case map
}

/// A file, read from its start to its end, past what cannot be read.
struct FileRead {
    private let size: Int
    /// What came, by its place.
    private var pieces: [(place: Int, bytes: [UInt8])] = []
    /// Where a page could not be read.
    private var errors: [Int] = []
    private static let page = 4096

    /// Reads 64 KiB at a time; throws what is no EIO, and for a file that ends before its size.
    init(_ path: Word, _ size: Int, _ way: ReadingWay) throws {
        self.size = size
        try Calls.open(path) { descriptor throws in
            switch way {
            case .read:
                try collect { try Calls.bytes(of: descriptor, at: $0, count: $1) }
                guard try Calls.bytes(of: descriptor, at: size, count: 1).isEmpty else {
                    throw Failure("it goes on behind its end")
                }
            case .map:
                if size == 0 { break }
                let map = try FileMap(descriptor, size)
                try collect { try map.bytes(at: $0, count: $1) }
            }
        }
    }

    /// Where many pages in a row cannot be read, ever fewer of them are tried, and the last.
    private mutating func collect(_ bytes: (Int, Int) throws -> [UInt8]) throws {
        var place = 0
        var step = 1
        while place < size {
            do {
                let piece = try bytes(place, min(1 << 16, size - place))
                guard !piece.isEmpty else { throw Failure("it ends at \(place) of \(size)") }
                pieces.append((place, piece))
                place += piece.count
                step = 1
            } catch let error as SystemError {
                guard error.code == EIO else { throw Failure("at \(place): \(error)") }
                errors.append(place)
                let last = (size - 1) / Self.page * Self.page
                let next = (place / Self.page + step) * Self.page
                place = place < last ? min(next, last) : size
                if errors.count > 8 { step = min(step * 2, 1 << 20) }
            }
        }
    }

    /// What a reading cannot explain, the data lying at `offset` in it; nil where it explains all.
    func fault(_ reading: Reading, at offset: Int) -> String? {
        for (place, bytes) in pieces {
            let range = (offset + place)..<(offset + place + bytes.count)
            guard reading.has(range) else {
                return "\(bytes.count) bytes came at \(place), not all of which can be had"
            }
            if let problem = difference(bytes, reading.bytes[range]) {
                return "at \(place): \(problem)"
            }
        }
        for place in errors {
            let end = min(size, (place / Self.page + 1) * Self.page)
            if reading.has((offset + place)..<(offset + end)) {
                return "EIO at \(place), where nothing is wrong"
            }
        }
        return nil
    }
}

/// A file mapped for the kernel to read from.
private final class FileMap {
    private let address: UnsafeMutableRawPointer
    private let size: Int
    private let copy: Int32

    init(_ descriptor: Int32, _ size: Int) throws {
        let map = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let map, map != MAP_FAILED else { throw SystemError(code: errno) }
        address = map
        self.size = size
        copy = makeMemoryFile("copy", Linux.memoryFileCloseOnExec)
    }

    deinit {
        munmap(address, size)
        close(copy)
    }

    /// The bytes before the first page that cannot be had; EIO where that is the first.
    func bytes(at place: Int, count: Int) throws -> [UInt8] {
        let written = pwrite(copy, address + place, count, 0)
        guard written >= 0 else { throw SystemError(code: errno == EFAULT ? EIO : errno) }
        return try Calls.bytes(of: copy, at: 0, count: written)
    }
}

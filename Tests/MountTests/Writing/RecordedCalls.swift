import Foundation
import TestSupport

/// What a program has done to the files of a directory, call by call, as strace(1) tells it.
struct RecordedCalls {
    /// A file by the order in which files were first seen.
    typealias File = Int

    enum Call: Equatable {
        case makeDirectory(Word)
        case create(Word, File)
        case rename(Word, Word)
        case link(Word, Word)
        case remove(Word)
        case write(File, [UInt8], at: Int)
        case truncate(File, Int)
        /// Room that makes the file longer.
        case reserve(File, Int)
        /// fsync or fdatasync of a file.
        case synchronize(File, isWhole: Bool)
        /// fsync of a directory.
        case synchronizeDirectory(Word)

        /// Whether it changes names.
        var isOfNames: Bool {
            switch self {
            case .makeDirectory, .create, .rename, .link, .remove: true
            case .write, .truncate, .reserve, .synchronize, .synchronizeDirectory: false
            }
        }

        /// The file whose bytes it changes.
        var file: File? {
            switch self {
            case .write(let file, _, _), .truncate(let file, _), .reserve(let file, _): file
            default: nil
            }
        }
    }

    private(set) var calls: [Call] = []
    /// The paths by which files were made, or found when it began.
    private(set) var names: [Word] = []

    private let folder: Word
    private var files: [Word: File] = [:]
    private var open: [Int: Opened] = [:]
    /// Where the next `write` of a descriptor goes.
    private var positions: [Int: Int] = [:]

    private enum Opened {
        case file(File)
        case directory(Word)
    }

    static let traced: Word = [
        "openat", "close", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat",
        "unlink", "unlinkat", "rmdir", "write", "pwrite64", "ftruncate", "fallocate", "fsync",
        "fdatasync", "copy_file_range", "pwritev", "pwritev2", "sendfile", "dup", "dup3",
    ].reduce("trace=") { $0 == "trace=" ? $0 + Word($1) : $0 + "," + Word($1) }

    /// The words before those of a command that is to be recorded in a file.
    static func command(into record: Word) -> [Word] {
        [
            "strace", "-f", "-qq", "-xx", "-s", "16777216", "-e", "signal=none", "-e", traced, "-o",
            record,
        ]
    }

    /// What a record says of a directory that held these files when it began.
    init(_ record: [UInt8], of folder: Word, holding names: [Word]) throws {
        self.folder = folder
        for name in names { _ = file(folder / name) }
        var pending: [Substring: Substring] = [:]
        for line in String(decoding: record, as: UTF8.self).split(separator: "\n") {
            let end = line.firstIndex(of: " ") ?? line.endIndex
            let (process, rest) = (line[..<end], line[end...].drop { $0 == " " })
            if rest.hasSuffix("<unfinished ...>") {
                pending[process] = rest.dropLast(" <unfinished ...>".count)
                continue
            }
            guard rest.hasPrefix("<... "), let mark = rest.range(of: " resumed>") else {
                try take(String(rest))
                continue
            }
            try take(String(pending.removeValue(forKey: process) ?? "") + rest[mark.upperBound...])
        }
    }

    private mutating func file(_ path: Word) -> File {
        if let known = files[path] { return known }
        files[path] = names.count
        names.append(path)
        return names.count - 1
    }

    private func isInside(_ path: Word) -> Bool {
        path.bytes.starts(with: folder.bytes + [UInt8(ascii: "/")])
    }

    // MARK: Lines

    /// Takes a call that succeeded: `name(argument, ...) = result`.
    private mutating func take(_ line: String) throws {
        guard let head = line.firstIndex(of: "("),
            let tail = line.range(of: ") ", options: .backwards),
            let equals = line.range(of: "= ", options: .backwards),
            let result = Int(line[equals.upperBound...].split(separator: " ").first ?? ""),
            result >= 0
        else { return }
        let words = line[line.index(after: head)..<tail.lowerBound].split(separator: ",")
            .map { $0.drop { $0 == " " } }
        try take(String(line[..<head]), words, result)
    }

    private mutating func take(_ name: String, _ words: [Substring], _ result: Int) throws {
        func number(_ index: Int) -> Int { Int(words[index]) ?? 0 }
        switch name {
        case "openat": opened(path(words[0], words[1]), String(words[2]), result)
        case "close": open[number(0)] = nil
        case "mkdir": make(path("", words[0]))
        case "mkdirat": make(path(words[0], words[1]))
        case "rename": rename(path("", words[0]), path("", words[1]))
        case "renameat", "renameat2": rename(path(words[0], words[1]), path(words[2], words[3]))
        case "link": link(path("", words[0]), path("", words[1]))
        case "linkat": link(path(words[0], words[1]), path(words[2], words[3]))
        case "unlink", "rmdir": remove(path("", words[0]))
        case "unlinkat": remove(path(words[0], words[1]))
        case "write": write(bytes(words[1]), number(0), at: nil, result)
        case "pwrite64": write(bytes(words[1]), number(0), at: number(3), result)
        case "ftruncate": change(number(0)) { .truncate($0, number(1)) }
        case "fallocate": change(number(0)) { .reserve($0, number(2) + number(3)) }
        case "fsync", "fdatasync": synchronize(number(0), isWhole: name == "fsync")
        default:
            // What nobody replays must not touch the files.
            guard case .file? = open[number(name == "copy_file_range" ? 2 : 0)] else { return }
            guard name == "dup" || name == "dup3" else { throw Failure("not known: \(name)") }
        }
    }

    private func bytes(_ word: Substring) -> [UInt8] {
        word.dropFirst().prefix { $0 != "\"" }.split(separator: "\\").compactMap {
            UInt8($0.dropFirst(), radix: 16)
        }
    }

    private func path(_ directory: Substring, _ word: Substring) -> Word {
        let path = Word(bytes(word))
        guard path.bytes.first != UInt8(ascii: "/"), let number = Int(directory),
            case .directory(let above)? = open[number]
        else { return path }
        return above / path
    }

    // MARK: Calls

    private mutating func opened(_ path: Word, _ flags: String, _ descriptor: Int) {
        if flags.contains("O_TMPFILE"), path == folder {
            open[descriptor] = .file(names.count)
            names.append(folder / "without a name")
            return
        }
        guard path == folder || isInside(path) else {
            open[descriptor] = flags.contains("O_DIRECTORY") ? .directory(path) : nil
            return
        }
        if flags.contains("O_DIRECTORY") {
            open[descriptor] = .directory(path)
            return
        }
        let isNew = files[path] == nil
        let file = file(path)
        if isNew { calls.append(.create(path, file)) }
        if !isNew, flags.contains("O_TRUNC") { calls.append(.truncate(file, 0)) }
        positions[descriptor] = 0
        open[descriptor] = .file(file)
    }

    private mutating func make(_ path: Word) {
        if isInside(path) { calls.append(.makeDirectory(path)) }
    }

    private mutating func rename(_ path: Word, _ new: Word) {
        guard isInside(path) else { return }
        files[new] = files.removeValue(forKey: path)
        calls.append(.rename(path, new))
    }

    private mutating func link(_ path: Word, _ new: Word) {
        if let number = Int(path.description.split(separator: "/").last ?? ""),
            path == "/proc/self/fd/\(number)", case .file(let file)? = open[number]
        {
            // The first name of a file that had none.
            files[new] = file
            calls.append(.create(new, file))
        }
        guard isInside(path) else { return }
        files[new] = files[path]
        calls.append(.link(path, new))
    }

    private mutating func remove(_ path: Word) {
        guard isInside(path) else { return }
        files[path] = nil
        calls.append(.remove(path))
    }

    private mutating func write(
        _ bytes: [UInt8], _ descriptor: Int, at offset: Int?, _ count: Int
    ) {
        let position = offset ?? positions[descriptor, default: 0]
        change(descriptor) { .write($0, Array(bytes.prefix(count)), at: position) }
        if offset == nil { positions[descriptor] = position + count }
    }

    private mutating func change(_ descriptor: Int, _ call: (File) -> Call) {
        if case .file(let file)? = open[descriptor] { calls.append(call(file)) }
    }

    private mutating func synchronize(_ descriptor: Int, isWhole: Bool) {
        switch open[descriptor] {
        case .file(let file): calls.append(.synchronize(file, isWhole: isWhole))
        case .directory(let path): calls.append(.synchronizeDirectory(path))
        case nil: break
        }
    }
}

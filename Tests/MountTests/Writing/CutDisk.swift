import TestSupport

/// What may be on a disk when power is cut in the middle of recorded calls.
///
/// Changes of names come to the disk in their order, at the latest when a directory is synchronized;
/// bytes of a file in any order, at the latest when it is.
struct CutDisk: Hashable {
    /// Directories, and files with their bytes, by path.
    private(set) var directories: Set<Word> = []
    private(set) var files: [Word: RecordedCalls.File] = [:]
    private(set) var bytes: [RecordedCalls.File: [UInt8]] = [:]

    /// How much of what was not synchronized has come.
    enum Luck: CaseIterable {
        /// All of it, as after a kill.
        case all
        case namesAlone
        case bytesAlone
        case nothing
        case some
    }

    /// The disk after the first `count` calls, which held files of these bytes before.
    init(
        _ record: RecordedCalls, holding before: [(Word, [UInt8])], after count: Int, _ luck: Luck,
        _ random: inout SplitMix64
    ) {
        for (index, (path, content)) in before.enumerated() {
            files[path] = index
            bytes[index] = content
        }
        let calls = record.calls[..<count]
        let safe =
            calls.lastIndex { if case .synchronizeDirectory = $0 { true } else { false } } ?? 0
        let lastName: Int
        switch luck {
        case .all, .namesAlone: lastName = count
        case .nothing, .bytesAlone: lastName = safe
        case .some: lastName = safe + Int(random.next() % UInt64(count - safe + 1))
        }
        var safeFrom: [RecordedCalls.File: Int] = [:]
        for (index, call) in calls.enumerated() {
            if case .synchronize(let file, _) = call { safeFrom[file] = index }
        }
        for (index, call) in calls.enumerated() {
            if call.isOfNames, index < lastName { change(call) }
            guard let file = call.file else { continue }
            let isSafe = index < safeFrom[file, default: 0]
            switch luck {
            case .all, .bytesAlone: write(call, part: false)
            case .nothing, .namesAlone: if isSafe { write(call, part: false) }
            case .some:
                let throwOf = random.next() % 4
                if isSafe || throwOf > 0 { write(call, part: !isSafe && throwOf == 1) }
            }
        }
        let named = Set(files.values)
        bytes = bytes.filter { named.contains($0.key) }
    }

    private mutating func change(_ call: RecordedCalls.Call) {
        switch call {
        case .makeDirectory(let path): directories.insert(path)
        case .create(let path, let file): files[path] = file
        case .rename(let path, let new): files[new] = files.removeValue(forKey: path)
        case .link(let path, let new): files[new] = files[path]
        case .remove(let path):
            files[path] = nil
            directories.remove(path)
        default: break
        }
    }

    /// Applies a call, or the first half of a write.
    private mutating func write(_ call: RecordedCalls.Call, part: Bool) {
        switch call {
        case .write(let file, let new, let offset):
            let new = part ? Array(new.prefix(new.count / 2)) : new
            resize(file, atLeast: offset + new.count)
            bytes[file]?.replaceSubrange(offset..<(offset + new.count), with: new)
        case .truncate(let file, let count):
            let old = bytes[file] ?? []
            if old.count > count { bytes[file] = Array(old.prefix(count)) }
            resize(file, atLeast: count)
        case .reserve(let file, let count): resize(file, atLeast: count)
        default: break
        }
    }

    private mutating func resize(_ file: RecordedCalls.File, atLeast count: Int) {
        let old = bytes[file] ?? []
        bytes[file] = old + [UInt8](repeating: 0, count: max(0, count - old.count))
    }
}

public import Format

/// Finds the records of an image by their bytes: a file that was written anew with the same bytes is
/// the one that was there.
public struct ContentIndex {
    private let image: IFS.Image
    /// Records of files by their size, empty ones left out.
    private var bySize: [UInt64: [Int]] = [:]
    /// Records by their first bytes, for sizes that were asked for.
    private var byHead: [UInt64: [[UInt8]: [Int]]] = [:]

    /// Bytes that are compared before all are.
    private static let headSize = 4096

    /// The files of an image.
    public init(_ image: IFS.Image) {
        self.image = image
        for (record, entry) in image.directory.entries.enumerated() where entry.inode != 0 {
            guard case .file(let offset, let size) = entry.kind, size > 0,
                UInt64(offset) &+ UInt64(size) <= image.contents.byteCount
            else { continue }
            bySize[UInt64(size), default: []].append(record)
        }
    }

    /// A record with just these bytes, `first` before those in `preferred`, and these before all others;
    /// nil for none. Where there are no bytes it is `first` or none.
    public mutating func record(
        equalTo content: Content, first: Int? = nil, preferring preferred: Set<Int> = []
    ) throws(MkifsError) -> Int? {
        let source = try content.source()
        if source.byteCount == 0 { return first.flatMap { isEmpty($0) ? $0 : nil } }
        guard let records = bySize[source.byteCount] else { return nil }
        do throws(FormatError) {
            let head = try source.prefix(Self.headSize, at: 0)
            if byHead[source.byteCount] == nil {
                byHead[source.byteCount] = try heads(of: records)
            }
            let alike = byHead[source.byteCount]?[head] ?? []
            if let first, alike.contains(first), try isEqual(first, source) { return first }
            for record in alike where preferred.contains(record) {
                if try isEqual(record, source) { return record }
            }
            for record in alike where !preferred.contains(record) {
                if try isEqual(record, source) { return record }
            }
            return nil
        } catch {
            throw .file(content.name, error)
        }
    }

    private func isEmpty(_ record: Int) -> Bool {
        guard case .file(_, 0) = image.directory.entries[record].kind else { return false }
        return true
    }

    private func heads(of records: [Int]) throws(FormatError) -> [[UInt8]: [Int]] {
        var heads: [[UInt8]: [Int]] = [:]
        for record in records {
            let window = image.window(of: image.directory.entries[record])
            heads[try window.prefix(Self.headSize, at: 0), default: []].append(record)
        }
        return heads
    }

    private func isEqual(_ record: Int, _ source: any ByteSource) throws(FormatError) -> Bool {
        let window = image.window(of: image.directory.entries[record])
        return try window.firstDifference(from: source) == nil
    }
}

extension Revision {
    /// The same changes, where new contents that a record of the image has are those of the record.
    ///
    /// That is asked where something comes of it: where the record is the entry's own, where its
    /// file is gone, and where mkifs has laid it out.
    public func recognizing(_ image: IFS.Image) throws(MkifsError) -> Revision {
        guard (changed + added).contains(where: { $0.newContent != nil }) else { return self }
        var finder = RecordFinder(image, self)
        var revision = self
        for place in changed.indices {
            revision.changed[place] = try finder.recognized(changed[place])
        }
        for place in added.indices {
            revision.added[place] = try finder.recognized(added[place])
        }
        return revision
    }
}

/// Finds the record that has a node's new contents.
private struct RecordFinder {
    private let image: IFS.Image
    private var index: ContentIndex
    /// Records whose bytes no entry has any more.
    private var free: Set<Int>
    /// Removed records by their paths.
    private var gone: [ArraySlice<UInt8>: Int] = [:]

    init(_ image: IFS.Image, _ revision: Revision) {
        self.image = image
        index = ContentIndex(image)
        free = Set(revision.removed.filter(image.directory.entries.indices.contains))
        for record in free {
            gone[image.directory.path(of: image.directory.entries[record])] = record
        }
        for node in revision.changed where node.newContent != nil {
            if let record = node.record { free.insert(record) }
        }
    }

    mutating func recognized(_ node: Revision.Node) throws(MkifsError) -> Revision.Node {
        // What was laid out as it is now asked for would have to be known.
        guard let content = node.newContent, node.treatment == Revision.Treatment() else {
            return node
        }
        let own = node.record ?? gone[node.path[...]]
        guard let record = try index.record(equalTo: content, first: own, preferring: free) else {
            return node
        }
        let isLaidOut =
            image.directory.entries[record].inode & IFS.Dirent.processedFlag != 0
        guard record == own || free.contains(record) || isLaidOut else { return node }
        var node = node
        node.kind = .file(.record(record))
        return node
    }
}

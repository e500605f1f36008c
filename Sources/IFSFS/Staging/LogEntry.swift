internal import Format

/// What a record of the edit log says.
enum LogEntry {
    /// The edits of one change.
    case edits([Edit])
    /// The contents of a file, and where in the log they are.
    case contents(NodeID, Range<UInt64>)

    /// Bytes before the contents in their record.
    private static let headSize = 13

    /// A record with the contents of a file, and where in it they begin.
    static func record(
        ofContents bytes: UnsafeRawBufferPointer, of node: NodeID
    ) -> (bytes: [UInt8], start: Int) {
        var writer = RecordWriter()
        writer.add(Edit.Tag.contents)
        writer.add(node.rawValue)
        unsafe writer.add(Array(bytes))
        return (writer.bytes, headSize)
    }

    /// What a record says that begins at a place of the log; nil for bytes that say nothing.
    init?(_ record: [UInt8], at place: UInt64) {
        guard record.first == Edit.Tag.contents else {
            guard let edits = Edit.edits(in: record) else { return nil }
            self = .edits(edits)
            return
        }
        var reader = RecordReader(Array(record.prefix(Self.headSize)))
        guard let _: UInt8 = reader.next(), let node: UInt64 = reader.next(),
            let count: UInt32 = reader.next(), record.count == Self.headSize + Int(count)
        else { return nil }
        let start = place &+ UInt64(Self.headSize)
        self = .contents(NodeID(rawValue: node), start..<(start &+ UInt64(count)))
    }
}

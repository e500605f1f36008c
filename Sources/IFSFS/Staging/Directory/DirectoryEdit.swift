internal import Format
internal import Mkifs

/// What the stage of a directory knows: paths are without a leading slash, names parted by slashes.
enum DirectoryEdit: Equatable {
    /// The directory has changes that no image has.
    case changed
    /// The image has all changes.
    case saved
    /// What a file is to have that the host could not take; nothing where it has all.
    case kept([UInt8], HostAttributes)
    /// What the edits before it have told of is done.
    case done
    /// A file is about to be removed. As long as nothing is told behind it, the host's number tells
    /// whether it was.
    case removed([UInt8], inode: UInt64)
    /// A path is about to get another name, which whatever had it loses.
    case moved([UInt8], to: [UInt8], inode: UInt64)
    /// Two paths are about to change places; the number is that of the first.
    case exchanged([UInt8], [UInt8], inode: UInt64)
}

// MARK: As bytes

extension DirectoryEdit {
    /// Other numbers than those of the edits of an image.
    private enum Tag {
        static let changed: UInt8 = 16
        static let saved: UInt8 = 17
        static let kept: UInt8 = 18
        static let removed: UInt8 = 19
        static let moved: UInt8 = 20
        static let exchanged: UInt8 = 21
        static let done: UInt8 = 22
    }

    /// The edits of one change as a record of the edit log.
    static func bytes(of edits: [DirectoryEdit]) -> [UInt8] {
        var writer = RecordWriter()
        for edit in edits { edit.write(to: &writer) }
        return writer.bytes
    }

    private func write(to writer: inout RecordWriter) {
        switch self {
        case .changed: writer.add(Tag.changed)
        case .saved: writer.add(Tag.saved)
        case .done: writer.add(Tag.done)
        case .kept(let path, let attributes):
            writer.add(Tag.kept)
            writer.add(path)
            attributes.write(to: &writer)
        case .removed(let path, let inode):
            writer.add(Tag.removed)
            writer.add(path)
            writer.add(inode)
        case .moved(let old, let new, let inode):
            writer.add(Tag.moved)
            writer.add(old)
            writer.add(new)
            writer.add(inode)
        case .exchanged(let one, let other, let inode):
            writer.add(Tag.exchanged)
            writer.add(one)
            writer.add(other)
            writer.add(inode)
        }
    }

    /// The edits of a record; nil for bytes that are none.
    static func edits(in record: [UInt8]) -> [DirectoryEdit]? {
        var reader = RecordReader(record)
        var edits: [DirectoryEdit] = []
        while !reader.isAtEnd {
            guard let edit = DirectoryEdit(from: &reader) else { return nil }
            edits.append(edit)
        }
        return edits
    }

    private init?(from reader: inout RecordReader) {
        guard let tag: UInt8 = reader.next() else { return nil }
        switch tag {
        case Tag.changed: self = .changed
        case Tag.saved: self = .saved
        case Tag.done: self = .done
        case Tag.kept:
            guard let path = reader.text(), let attributes = HostAttributes(from: &reader) else {
                return nil
            }
            self = .kept(path, attributes)
        case Tag.removed:
            guard let path = reader.text(), let inode: UInt64 = reader.next() else { return nil }
            self = .removed(path, inode: inode)
        case Tag.moved, Tag.exchanged:
            guard let one = reader.text(), let other = reader.text(),
                let inode: UInt64 = reader.next()
            else { return nil }
            self =
                tag == Tag.moved
                ? .moved(one, to: other, inode: inode) : .exchanged(one, other, inode: inode)
        default: return nil
        }
    }
}

extension HostAttributes {
    /// A bit for each that is there, then their values.
    fileprivate func write(to writer: inout RecordWriter) {
        let isThere = [
            permissions != nil, user != nil, group != nil, modified != nil, device != nil,
        ]
        writer.add(
            isThere.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 << $1.offset : 0) })
        for number in [permissions, user, group].compactMap({ $0 }) { writer.add(number) }
        if let modified { writer.add(UInt64(bitPattern: modified)) }
        guard let device else { return }
        writer.add(device.kind.rawValue)
        writer.add(device.major)
        writer.add(device.minor)
    }

    fileprivate init?(from reader: inout RecordReader) {
        self.init()
        guard let isThere: UInt8 = reader.next() else { return nil }
        for (bit, path) in [\HostAttributes.permissions, \.user, \.group].enumerated()
        where isThere & 1 << bit != 0 {
            guard let number: UInt32 = reader.next() else { return nil }
            self[keyPath: path] = number
        }
        if isThere & 8 != 0 {
            guard let time: UInt64 = reader.next() else { return nil }
            modified = Int64(bitPattern: time)
        }
        guard isThere & 16 != 0 else { return }
        guard let kind: UInt32 = reader.next(), let kind = NodeKind(rawValue: kind),
            let major: UInt32 = reader.next(), let minor: UInt32 = reader.next()
        else { return nil }
        device = Device(kind, major: major, minor: minor)
    }
}

extension IFS {
    /// One record of an image's directory as a value of its own, to be written.
    ///
    /// Source: `struct image_file`, `image_dir`, `image_symlink` and `image_device` in the vendor's
    /// `sys/image.h`.
    public struct DirectoryRecord: Equatable, Sendable {
        /// What the type brings.
        public enum Body: Equatable, Sendable {
            /// A file: offset of its data from the image header, and how many bytes there are.
            case file(offset: UInt32, size: UInt32)
            case directory
            case symlink(target: [UInt8])
            /// A fifo, device, socket or named special, by its mode.
            case device(device: UInt32, rawDevice: UInt32)
        }

        /// Inode number with its flag bits.
        public var inode: UInt32
        /// Type and permission bits.
        public var mode: UInt32
        /// Numeric id of the group.
        public var group: UInt32
        /// Numeric id of the owner.
        public var user: UInt32
        /// Seconds since 1970.
        public var modified: UInt32
        /// `extattr_offset`; 0 in everything mkifs writes.
        public var extendedAttributes: UInt16
        /// Without a leading slash; empty for the root.
        public var path: [UInt8]
        /// The type, and what it brings.
        public var body: Body
        /// What stands behind the texts up to the record's end, where it is not the zeros of a record
        /// that is just as long as it must be; mkifs leaves bytes of a path in some roots.
        public var padding: [UInt8]?

        /// A record of these values.
        public init(
            path: [UInt8], mode: UInt32, body: Body, inode: UInt32, user: UInt32 = 0,
            group: UInt32 = 0, modified: UInt32 = 0, extendedAttributes: UInt16 = 0
        ) {
            self.path = path
            self.mode = mode
            self.body = body
            self.inode = inode
            self.user = user
            self.group = group
            self.modified = modified
            self.extendedAttributes = extendedAttributes
            padding = nil
        }

        /// The record of an entry that was read; nil for one of unknown type.
        public init?(_ entry: Dirent, in directory: Directory) {
            switch entry.kind {
            case .file(let offset, let size): body = .file(offset: offset, size: size)
            case .directory: body = .directory
            case .symlink: body = .symlink(target: Array(directory.target(of: entry)))
            case .device(let device, let raw): body = .device(device: device, rawDevice: raw)
            case .unknown: return nil
            }
            inode = entry.inode
            mode = entry.mode
            group = entry.group
            user = entry.user
            modified = entry.modified
            extendedAttributes = entry.extendedAttributes
            path = Array(directory.path(of: entry))
            padding = nil
            let start = Int(entry.recordOffset) &+ textEnd
            let end = Int(entry.recordOffset) &+ Int(entry.recordSize)
            guard start <= end, end <= directory.bytes.count else { return nil }
            let found = Array(directory.bytes[start..<end])
            if found.count != byteCount &- textEnd || found.contains(where: { $0 != 0 }) {
                padding = found
            }
        }

        /// Bytes of the record: head, texts and their NULs, rounded up to 4.
        public var byteCount: Int {
            padding.map { textEnd + $0.count } ?? (textEnd + 3) & ~3
        }

        /// Where the texts end.
        private var textEnd: Int {
            switch body {
            case .file, .device: Dirent.At.filePath.offset + path.count + 1
            case .directory: Dirent.At.directoryPath.offset + path.count + 1
            case .symlink(let target):
                Dirent.At.symlinkPath.offset + path.count + 1 + target.count + 1
            }
        }

        /// The record's bytes. Neither the record nor a symlink's path may be longer than 65,535.
        public func bytes(_ order: ByteOrder) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: byteCount)
            bytes.write(UInt16(clamping: byteCount), Dirent.At.size, to: 0, order)
            bytes.write(extendedAttributes, Dirent.At.extendedAttributes, to: 0, order)
            bytes.write(inode, Dirent.At.inode, to: 0, order)
            bytes.write(mode, Dirent.At.mode, to: 0, order)
            bytes.write(group, Dirent.At.group, to: 0, order)
            bytes.write(user, Dirent.At.user, to: 0, order)
            bytes.write(modified, Dirent.At.modified, to: 0, order)
            let start = writeBody(to: &bytes, order)
            bytes.replaceSubrange(start..<(start + path.count), with: path)
            if let padding { bytes.replaceSubrange(textEnd..., with: padding) }
            return bytes
        }

        /// Writes what the type brings; gives where the path starts.
        private func writeBody(to bytes: inout [UInt8], _ order: ByteOrder) -> Int {
            switch body {
            case .file(let offset, let size):
                bytes.write(offset, Dirent.At.fileOffset, to: 0, order)
                bytes.write(size, Dirent.At.fileSize, to: 0, order)
                return Dirent.At.filePath.offset
            case .directory: return Dirent.At.directoryPath.offset
            case .symlink(let target):
                let place = path.count + 1
                bytes.write(UInt16(clamping: place), Dirent.At.targetOffset, to: 0, order)
                bytes.write(UInt16(clamping: target.count), Dirent.At.targetSize, to: 0, order)
                let start = Dirent.At.symlinkPath.offset
                bytes.replaceSubrange(
                    (start + place)..<(start + place + target.count), with: target)
                return start
            case .device(let device, let rawDevice):
                bytes.write(device, Dirent.At.device, to: 0, order)
                bytes.write(rawDevice, Dirent.At.rawDevice, to: 0, order)
                return Dirent.At.devicePath.offset
            }
        }
    }
}

extension IFS.Dirent {
    /// Whether a `DirectoryRecord` has just the bytes of this one: its type is known, and the texts of
    /// a link stand one behind the other.
    public var isRestorable: Bool {
        switch kind {
        case .file, .directory, .device: true
        case .symlink(let target, let size):
            target.range.lowerBound == path.range.upperBound + 1
                && target.range.count == Int(size)
        case .unknown: false
        }
    }
}

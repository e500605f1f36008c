package import Format

/// What has to hold of whatever was read; a `precondition` that fails is a find.
package enum Checks {
    /// Bytes of files that are read from one image.
    private static let readLimit = 1 << 20

    /// Every image that a scan of `file` finds, up to 64, with all that can be asked of it.
    package static func scan(_ file: any ByteSource, cacheLimit: Int = 1 << 20) {
        var scanner = IFS.Scanner(file, IFS.Image.Options(cacheLimit: cacheLimit))
        var end: UInt64 = 0
        for _ in 0..<64 {
            guard let image = attempt({ () throws(FormatError) in try scanner.next() }) ?? nil
            else { break }
            precondition(image.headerOffset >= end, "an image inside the one before")
            end = min(image.end, file.byteCount)
            examine(image)
        }
        if let refusal = scanner.refusal { keep(line(refusal)) }
    }

    /// All that can be asked of an image.
    package static func examine(_ image: IFS.Image) {
        for fault in image.check() {
            precondition(!fault.description.utf8.contains(10), "a fault of several lines")
        }
        keep(attempt { () throws(FormatError) in try image.startupChecksum() })
        keep(attempt { () throws(FormatError) in try image.imageChecksum(image.header.order) })
        keep(attempt { () throws(FormatError) in try image.startupArguments() })
        for entry in image.bootEntries {
            keep(attempt { () throws(FormatError) in try image.bootArguments(of: entry) })
        }
        if let startup = image.startup {
            keep(IFS.InfoRecord.records(in: startup.info, startup.order))
        }
        if let script = attempt({ () throws(FormatError) in try image.scriptData() }) {
            check(IFS.Script(script))
        }
        check(image.directory)
        readFiles(of: image)
        let volume = attempt { () throws(FormatError) in
            try IFS.ImageVolume(image, partial: true)
        }
        if let volume { check(volume) }
    }

    /// What a part of the image gives, or nil where it is broken in a way that is said in one line.
    package static func attempt<Result>(_ body: () throws(FormatError) -> Result) -> Result? {
        do throws(FormatError) {
            return try body()
        } catch {
            keep(line(error))
            return nil
        }
    }

    private static func line(_ error: FormatError) -> String {
        let line = error.description
        precondition(!line.utf8.contains(10), "a message of several lines")
        return line
    }

    // MARK: Directory and script

    /// Entries follow each other inside the directory, with texts that hold no NUL.
    package static func check(_ directory: IFS.Directory) {
        var end = 0
        for entry in directory.entries {
            precondition(Int(entry.recordOffset) >= end, "an entry inside the one before")
            end = Int(entry.recordOffset) + Int(entry.recordSize)
            precondition(end <= directory.bytes.count, "an entry outside")
            precondition(!directory.path(of: entry).contains(0), "a NUL in a path")
            precondition(!directory.target(of: entry).contains(0), "a NUL in a target")
        }
        precondition(end <= directory.end && directory.end <= directory.bytes.count)
        for error in directory.skipped { keep(line(error)) }
        if let broken = directory.broken { keep(line(broken)) }
    }

    /// One line a command, whatever line ends are in its texts.
    package static func check(_ script: IFS.Script) {
        let lines = script.buildfileLines
        precondition(lines.count == script.commands.count)
        precondition(script.listingLines.count == script.commands.count)
        for line in lines { precondition(isOneLine(line), "a command cut in two") }
        if let broken = script.broken { keep(line(broken)) }
    }

    /// Whether a line of a buildfile's script, read as mkifs does, holds no bare line end: first
    /// the inline file's escapes go, then those of the line.
    private static func isOneLine(_ line: String) -> Bool {
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in line.utf8 {
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            if !isEscaped { bytes.append(byte) }
        }
        var isQuoted = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\") where !isEscaped: isEscaped = true
            case UInt8(ascii: "\n") where !isEscaped: return false
            case UInt8(ascii: "\r") where !isEscaped && !isQuoted: return false
            case UInt8(ascii: "\"") where !isEscaped:
                isQuoted.toggle()
            default: isEscaped = false
            }
        }
        return true
    }

    // MARK: Tree

    /// The tree is one: every node is reached once, by the name it is looked up by.
    package static func check(_ volume: IFS.ImageVolume) {
        var directories: [NodeID] = [.root]
        var names: UInt64 = 1
        var links: [NodeID: UInt32] = [:]
        while let directory = directories.popLast() {
            precondition(volume.attributes(of: directory)?.kind == .directory)
            var last: [UInt8] = []
            for (name, node) in entries(of: directory, in: volume) {
                names += 1
                precondition(names <= volume.statistics.nodeCount, "a node with two parents")
                precondition(isName(name), "a name that is none")
                precondition(last.lexicographicallyPrecedes(name), "names out of order")
                last = name
                precondition(volume.lookup(name, in: directory) == node, "a name not found")
                links[node, default: 0] += 1
                guard let attributes = volume.attributes(of: node) else {
                    preconditionFailure("an entry without a node")
                }
                keep(volume.target(of: node))
                if names < 64 { readStart(of: node, attributes, in: volume) }
                if attributes.kind == .directory {
                    precondition(volume.parent(of: node) == directory, "another parent")
                    directories.append(node)
                }
            }
        }
        precondition(names == volume.statistics.nodeCount, "a node that nothing leads to")
        for (node, count) in links where volume.attributes(of: node)?.kind != .directory {
            precondition(volume.attributes(of: node)?.linkCount == count, "a wrong link count")
        }
        for finding in volume.findings { keep(finding.description) }
        for name in attempt({ () throws(FormatError) in
            try volume.extendedAttributeNames(of: .root)
        }) ?? [] {
            keep(
                attempt { () throws(FormatError) in
                    try volume.extendedAttribute(name, of: .root)
                })
        }
        for number in [0, volume.statistics.nodeCount + 1, .max] {
            let nobody = NodeID(rawValue: number)
            precondition(volume.attributes(of: nobody) == nil && volume.parent(of: nobody) == nil)
            precondition(volume.target(of: nobody) == nil)
            precondition(volume.lookup([0x61], in: nobody) == nil)
            precondition(entries(of: nobody, in: volume).isEmpty)
        }
        unsafe volume.entries(of: .root, from: .max) { _, _, _ in
            preconditionFailure("an entry behind the last")
        }
    }

    private static func entries(
        of directory: NodeID, in volume: IFS.ImageVolume
    ) -> [([UInt8], NodeID)] {
        var found: [([UInt8], NodeID)] = []
        unsafe volume.entries(of: directory, from: 0) { index, name, node in
            precondition(index == found.count)
            found.append((unsafe Array(name), node))
            return true
        }
        return found
    }

    private static func readStart(
        of node: NodeID, _ attributes: Attributes, in volume: IFS.ImageVolume
    ) {
        let read = attempt { () throws(FormatError) in
            try unsafe withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) {
                buffer throws(FormatError) in
                try unsafe volume.read(node, into: buffer, at: 0)
            }
        }
        guard let read else { return }
        let there = attributes.kind == .file ? min(16, attributes.byteCount) : 0
        precondition(UInt64(read) == there, "a read that is short")
    }

    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 255 && !name.contains(0)
            && !name.contains(UInt8(ascii: "/")) && name != [0x2e] && name != [0x2e, 0x2e]
    }

    // MARK: Files

    /// Reads the files, `readLimit` bytes of them all together, by pieces that are not whole pages.
    private static func readFiles(of image: IFS.Image) {
        var left = readLimit
        for entry in image.directory.entries {
            guard case .file(_, let size) = entry.kind, left > 0 else { continue }
            let head = attempt { () throws(FormatError) in try image.head(of: entry) }
            if let head, let header = ELF.Header(head) {
                keep((header.className, header.typeName, header.machineName))
            }
            let rest = read(image, entry, at: 4097, min(Int(size), left))
            left -= (head?.count ?? 64) + (rest?.count ?? 64)
            guard Int(size) <= left else { continue }
            left -= Int(size)
            keep(attempt { () throws(FormatError) in try image.digest(of: entry, .md5) })
        }
        if Int(image.header.imageSize) <= left { unpack(image) }
    }

    private static func unpack(_ image: IFS.Image) {
        let before = Int(image.storedOffset - image.start)
        let whole = attempt { () throws(FormatError) in
            var count = 0
            try image.unpacked { piece in count += piece.count }
            return count
        }
        guard let whole else { return }
        precondition(whole == before + Int(image.header.imageSize), "a part is missing")
    }

    /// What `read` gives; checks that it gives all there is.
    package static func read(
        _ image: IFS.Image, _ entry: IFS.Dirent, at offset: UInt64, _ count: Int
    ) -> [UInt8]? {
        guard case .file(_, let size) = entry.kind else { return nil }
        let wanted = min(UInt64(count), UInt64(size) - min(UInt64(size), offset))
        return attempt { () throws(FormatError) in
            var bytes = [UInt8](repeating: 0xa5, count: count)
            var failure: FormatError?
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                do throws(FormatError) {
                    return try unsafe image.read(entry, into: buffer, at: offset)
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            precondition(UInt64(got) == wanted, "a read that is short")
            return Array(bytes[..<got])
        }
    }
}

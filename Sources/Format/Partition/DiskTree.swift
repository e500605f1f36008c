extension Disk {
    /// The tree: that of a file system alone, or a directory of each partition's, and a file of each
    /// that has none. Its root has the extended attribute `disk.info`. Nil for a file system alone
    /// that could not be opened.
    public func volume(_ style: Names = .kind) -> (any Volume)? {
        guard table != nil else { return parts.first.flatMap { tree(of: $0, style) } }
        let entries = zip(parts, names(style)).map { part, name in
            DiskVolume.Entry(
                name, part.placed(printable(name)).map { .volume($0) } ?? .raw(part.bytes))
        }
        // A table has no time of its own.
        let times = entries.map { entry in
            guard case .volume(let volume) = entry.contents else { return Int64(0) }
            // A root that cannot be read says so to whoever asks for it.
            return ((try? volume.attributes(of: .root)) ?? nil)?.modified ?? 0
        }
        let disk = DiskVolume(entries, modified: times.max() ?? 0)
        return PlacedVolume(disk, information: information(style))
    }

    /// The tree of one part, as if it were alone; nil where there is none. Its root has the extended
    /// attribute `disk.info` as well.
    public func tree(of part: Part, _ style: Names = .kind) -> (any Volume)? {
        part.placed("").map { volume in
            PlacedVolume(volume, information: information(style))
        }
    }

    private func information(_ style: Names) -> [UInt8] {
        Array(JSON.object(facts(style)).compactText.utf8)
    }
}

extension Disk.Part {
    /// The tree, with errors that say where in the file something is; `name` comes before them.
    fileprivate func placed(_ name: String) -> PlacedVolume? {
        volume.map { volume in
            // Places in an image are partly those of what it unpacks to.
            let start = kind == .ifs ? 0 : bytes.start
            return PlacedVolume(volume, name: name, start: start)
        }
    }
}

extension Disk {
    /// The same disk, in whose file systems each file that begins with an image file system
    /// (`IFS.isImageName`) has a directory beside it with what is inside. Throws `io` alone.
    func nesting(in source: any ByteSource, _ options: IFS.Image.Options) throws(FormatError)
        -> Disk
    {
        // What is opened to look is not what is kept.
        var looking = options
        looking.cacheLimit = 0
        var finder = DiskImageFinder(self, source, looking)
        var nested: [Part] = []
        for (index, part) in parts.enumerated() {
            guard let volume = part.volume, part.hasFiles else {
                nested.append(part)
                continue
            }
            try finder.searchFiles(of: index)
            var paths: [[UInt8]] = []
            for found in finder.images.found where found.part == index {
                // Of several images in one file the first is shown.
                if let path = found.path, path != paths.last { paths.append(path) }
            }
            nested.append(part.with(NestedVolume.made(volume, paths, options)))
        }
        return Disk(table: table, parts: nested)
    }
}

extension Disk.Part {
    fileprivate func with(_ volume: any Volume) -> Disk.Part {
        Disk.Part(
            partition: partition, kind: kind, volume: volume, failure: failure, cutOff: cutOff,
            label: label, bytes: bytes)
    }
}

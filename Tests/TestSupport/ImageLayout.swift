extension ImageBuilder {
    private var imageTrailerSize: Int { hasImageDigest ? 68 : 4 }
    private var startupTrailerSize: Int { hasStartupDigest ? 68 : 4 }

    /// The image file system with its trailer.
    func imageFileSystem() -> BuiltImage {
        var image = BuiltImage()
        image.directoryOffset = (88 + mountpoint.count + 1 + 3) / 4 * 4
        place(in: &image)
        var bytes = imageHeader(directoryEnd: image.directoryEnd)
        bytes.append(contentsOf: directory(&image))
        let total = image.dataOffsets.indices.reduce(image.directoryEnd) { end, index in
            max(end, image.dataOffsets[index] + (data(of: index)?.count ?? 0))
        }
        bytes.reserveCapacity(total + 72)
        for (index, offset) in image.dataOffsets.enumerated() {
            guard let data = data(of: index) else { continue }
            bytes.append(contentsOf: repeatElement(0, count: offset - bytes.count))
            bytes.append(contentsOf: data)
        }
        bytes.pad(to: 4)
        bytes.set(UInt32(bytes.count + imageTrailerSize), at: 8, isBigEndian: isBigEndian)
        for patch in imagePatches { bytes.set(patch.bytes, at: patch.offset) }
        addTrailer(to: &bytes, from: 0, hasDigest: hasImageDigest)
        image.plain = bytes
        return image
    }

    /// Finds the end of the directory and the place of each file's data.
    private func place(in image: inout BuiltImage) {
        var end = image.directoryOffset + 4 + directorySlack
        for entry in [root].compactMap({ $0 }) + entries { end += record(entry, 0, 0, 0).count }
        image.directoryEnd = end
        for (index, entry) in entries.enumerated() {
            guard let data = data(of: index) else {
                image.dataOffsets.append(0)
                continue
            }
            end = (end + entry.alignment - 1) / entry.alignment * entry.alignment
            image.dataOffsets.append(end)
            end += data.count
        }
    }

    private func data(of index: Int) -> [UInt8]? {
        if case .file(let data) = entries[index].body { data } else { nil }
    }

    private func imageHeader(directoryEnd: Int) -> [UInt8] {
        var bytes = Array("imagefs".utf8)
        bytes.append(imageFlags | (isBigEndian ? 1 : 0) | (hasImageDigest ? 0x10 : 0))
        let directoryOffset = (88 + mountpoint.count + 1 + 3) / 4 * 4
        var words: [UInt32] = [0, UInt32(directoryEnd), UInt32(directoryOffset)]
        words += bootInodes + [UInt32](repeating: 0, count: 4 - bootInodes.count)
        words += [scriptInode, chainAddress] + [UInt32](repeating: 0, count: 11)
        for word in words { bytes.append(word, isBigEndian: isBigEndian) }
        bytes += mountpoint + [0]
        bytes.pad(to: 4)
        return bytes
    }

    /// All records, the end mark and the slack; notes where each stands.
    private func directory(_ image: inout BuiltImage) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ record: [UInt8]) {
            image.recordOffsets.append(image.directoryOffset + bytes.count)
            bytes += record
        }
        if let root { add(record(root, root.inode ?? 1, 0, 0)) }
        for (index, entry) in entries.enumerated() {
            let source = linked(index)
            let size: Int = data(of: source)?.count ?? 0
            add(
                record(
                    entry, entry.inode ?? entries[source].inode ?? UInt32(source + 2),
                    entry.offset ?? UInt32(image.dataOffsets[source]),
                    entry.size ?? UInt32(size)))
        }
        bytes += [UInt8](repeating: 0, count: 4 + directorySlack)
        return bytes
    }

    /// The entry whose data an entry's name stands for.
    private func linked(_ index: Int) -> Int {
        if case .hardLink(let other) = entries[index].body { other } else { index }
    }

    private func record(
        _ entry: ImageEntry, _ inode: UInt32, _ offset: UInt32, _ size: UInt32
    ) -> [UInt8] {
        if case .record(let bytes) = entry.body { return bytes }
        var bytes = [UInt8](repeating: 0, count: 4)
        for word in [inode, entry.mode, entry.group, entry.user, entry.modified] {
            bytes.append(word, isBigEndian: isBigEndian)
        }
        switch entry.body {
        case .file, .hardLink:
            bytes.append(offset, isBigEndian: isBigEndian)
            bytes.append(size, isBigEndian: isBigEndian)
            bytes += entry.path + [0]
        case .directory, .record:
            bytes += entry.path + [0]
        case .symlink(let target):
            bytes.append(UInt16(entry.path.count + 1), isBigEndian: isBigEndian)
            bytes.append(UInt16(target.count), isBigEndian: isBigEndian)
            bytes += entry.path + [0] + target + [0]
        case .device(let dev, let rdev):
            bytes.append(dev, isBigEndian: isBigEndian)
            bytes.append(rdev, isBigEndian: isBigEndian)
            bytes += entry.path + [0]
        }
        bytes.pad(to: 4)
        bytes += [UInt8](repeating: 0, count: entry.extraPadding)
        bytes.set(UInt16(bytes.count), at: 0, isBigEndian: isBigEndian)
        return bytes
    }

    /// The packed stream with what follows it, or the image file system as it is.
    func stored(_ stream: PackedStream) -> [UInt8] {
        guard packing != .none else { return stream.bytes }
        var bytes = stream.bytes + streamTail
        bytes.pad(to: 4)
        addTrailer(to: &bytes, from: 0, hasDigest: hasStartupDigest)
        return bytes
    }

    /// Startup header, program, padding and trailer.
    func startupArea(imageSize: Int, storedCount: Int) -> [UInt8] {
        let program = hasStartup ? self.program : []
        let unit = hasStartup ? 8 : 4
        let end = prefix.count + 256 + program.count + startupTrailerSize
        let size = (end + unit - 1) / unit * unit - prefix.count
        var bytes = startupHeader(size, imageSize: imageSize, storedSize: size + storedCount)
        bytes += program
        bytes += [UInt8](repeating: 0, count: size - startupTrailerSize - bytes.count)
        for patch in startupPatches { bytes.set(patch.bytes, at: patch.offset) }
        addTrailer(to: &bytes, from: 0, hasDigest: hasStartupDigest)
        return bytes
    }

    private func startupHeader(_ size: Int, imageSize: Int, storedSize: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ value: some FixedWidthInteger) { bytes.append(value, isBigEndian: isBigEndian) }
        add(UInt32(0x00ff_7eeb))
        add(UInt16(1))
        bytes.append(
            flags1 | (isBigEndian ? 2 : 0) | packing.code << 2 | (hasStartupDigest ? 0x20 : 0))
        bytes.append(flags2)
        add(UInt16(256))
        add(machine)
        for word in [
            imageAddress &+ physicalBias &+ 256, physicalBias, imageAddress,
            ramAddress ?? imageAddress, UInt32(size + imageSize), UInt32(size),
            UInt32(storedSize), 0, UInt32(imageSize),
        ] { add(word) }
        add(UInt16(prefix.count))
        add(zeroHalf)
        add(zeroWord)
        add(addressOffset)
        bytes += info + [UInt8](repeating: 0, count: 192 - info.count)
        return bytes
    }

    /// Ends `bytes` with a trailer over all of them from `start` on.
    private func addTrailer(to bytes: inout [UInt8], from start: Int, hasDigest: Bool) {
        if hasDigest { bytes += SHA2.sha512(start == 0 ? bytes : Array(bytes[start...])) }
        let sum = Self.sum(bytes[start...], isBigEndian: isBigEndian)
        bytes.append(0 &- sum, isBigEndian: isBigEndian)
    }

    /// The sum of 32-bit words modulo 2^32.
    public static func sum(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            var total: UInt32 = 0
            for place in stride(from: 0, to: buffer.count - 3, by: 4) {
                let word = buffer.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                total &+= isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
            }
            return total
        }
    }
}

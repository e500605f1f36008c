/// What the volumes of a disk keep of what they have read. The bounds hold for all of them together:
/// a partition table can name many volumes that cost its maker nothing.
final class VolumeCaches: Sendable {
    /// A node, or a directory's place among others, of one of the volumes.
    private struct Key<Value: Hashable & Sendable>: Hashable, Sendable {
        var volume: Int
        var value: Value
    }

    private let volumeCount: Int
    private let indexes = QNX.DirectoryIndexes()
    /// Directories used last.
    private let listings = Lock(FAT.BoundedCache<Key<Int>, FAT.Listing>(limit: 16 << 20))
    /// Files used last.
    private let files = Lock(FAT.BoundedCache<Key<NodeID>, FAT.Volume.File>(limit: 4 << 20))

    /// Caches for so many volumes.
    init(volumeCount: Int) { self.volumeCount = max(1, volumeCount) }

    /// One volume's part of the caches.
    struct Share: Sendable {
        private let caches: VolumeCaches
        private let volume: Int

        /// The part of the volume with a number that no other one has.
        init(_ caches: VolumeCaches, volume: Int) {
            self.caches = caches
            self.volume = volume
        }

        /// New caches, for a volume alone.
        static var whole: Share { Share(VolumeCaches(volumeCount: 1), volume: 0) }

        /// What the volume may take of a bound that is divided evenly.
        func part(of limit: Int) -> Int { limit / caches.volumeCount }

        /// The index of a QNX directory, made by `make` if it is not here.
        func index(
            of directory: UInt64, make: () throws(FormatError) -> QNX.DirectoryIndex
        ) throws(FormatError) -> QNX.DirectoryIndex {
            try caches.indexes.index(of: .init(volume: volume, directory: directory), make: make)
        }

        /// A FAT directory by its number in the volume's index.
        func listing(_ directory: Int) -> FAT.Listing? {
            caches.listings.withLock { $0.value(Key(volume: volume, value: directory)) }
        }

        /// Keeps a FAT directory.
        func keep(_ listing: FAT.Listing, _ directory: Int) {
            caches.listings.withLock {
                $0.insert(
                    listing, size: listing.size, for: Key(volume: volume, value: directory))
            }
        }

        /// A FAT file.
        func file(_ node: NodeID) -> FAT.Volume.File? {
            caches.files.withLock { $0.value(Key(volume: volume, value: node)) }
        }

        /// Keeps a FAT file.
        func keep(_ file: FAT.Volume.File, _ node: NodeID) {
            caches.files.withLock {
                $0.insert(file, size: file.map.size, for: Key(volume: volume, value: node))
            }
        }
    }
}

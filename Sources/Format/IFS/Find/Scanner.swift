extension IFS {
    /// Walks a file and yields the images in it, in order.
    public struct Scanner {
        private let file: any ByteSource
        private let options: Image.Options
        private let finder: AnchorFinder
        private var pending: ArraySlice<AnchorFinder.Hit> = []
        private var nextChunk: UInt64
        private var passed: UInt64
        private var isFirst = true
        /// How many more blocks of 64 KiB may be unpacked behind headers that turn out false; bounds
        /// the time that a hostile file can take.
        private(set) var patience: Int
        static let usualPatience = 4096
        /// An image that something else has, a partition or a file, begins before this byte of it: at
        /// the start, or behind a boot loader. To search more of what nobody knows would make the first
        /// look at a disk wait for every swap or Linux partition to be read.
        static let usualReach: UInt64 = 4 << 20

        /// The mark that came nearest to an image and why it was none, where none was found.
        public private(set) var refusal: FormatError?
        private var refusalIsOfText = false

        /// Searches `file` from byte `start` on.
        public init(
            _ file: any ByteSource, from start: UInt64 = 0, _ options: Image.Options = .init()
        ) {
            self.init(file, from: start, reach: .max, patience: Self.usualPatience, options)
        }

        /// Searches for images that begin from byte `start` on and before byte `reach`.
        init(
            _ file: any ByteSource, from start: UInt64, reach: UInt64, patience: Int,
            _ options: Image.Options
        ) {
            self.file = file
            self.options = options
            self.patience = patience
            finder = AnchorFinder(file, reach: reach)
            nextChunk = start
            passed = start
        }

        /// The next image, or nil behind the last. Throws `io` only.
        public mutating func next() throws(FormatError) -> Image? {
            while let hit = try nextHit() {
                guard patience > 0 else {
                    refusal = .unsupported(
                        Place("startup header", hit.offset), found: "too many that are none",
                        expected: "a file with images in it; --offset can skip what is before them")
                    return nil
                }
                let before = patience
                do throws(FormatError) {
                    let image = try open(hit)
                    patience = before
                    passed = max(hit.offset &+ 1, min(image.end, file.byteCount))
                    return image
                } catch {
                    if case .io = error { throw error }
                    remember(error, hit)
                }
            }
            return nil
        }

        private mutating func nextHit() throws(FormatError) -> AnchorFinder.Hit? {
            while true {
                while let hit = pending.popFirst() {
                    if hit.offset >= passed { return hit }
                }
                nextChunk = max(nextChunk, passed)
                guard let chunk = try finder.hits(from: nextChunk, isFirst: isFirst) else {
                    return nil
                }
                isFirst = false
                pending = chunk.hits[...]
                nextChunk = chunk.next
            }
        }

        private mutating func open(_ hit: AnchorFinder.Hit) throws(FormatError) -> Image {
            switch hit.anchor {
            case .littleStartup, .bigStartup:
                try Image(startupAt: hit.offset, in: file, options, finder, &patience)
            case .image: try Image(bareAt: hit.offset, in: file)
            case .harman: try Image(containerAt: hit.offset, in: file, &patience)
            }
        }

        /// A header is a better explanation than a text, and the first of a kind than later ones.
        private mutating func remember(_ error: FormatError, _ hit: AnchorFinder.Hit) {
            let isOfText = hit.anchor == .image
            guard refusal == nil || (refusalIsOfText && !isOfText) else { return }
            if case .corrupt(let place, _, _) = error, place.field.hasSuffix("version") { return }
            refusal = error
            refusalIsOfText = isOfText
        }
    }
}

internal import Format

/// A block that is to get another place, and what the place has to be a multiple of.
struct BlockMove {
    /// Its index.
    let block: Int
    let unit: UInt64
}

/// Which blocks of an image get other places, and in which order they take them.
struct BlockMoves {
    private let image: IFS.Image
    private let addresses: ImageAddresses

    init(_ image: IFS.Image, _ addresses: ImageAddresses) {
        self.image = image
        self.addresses = addresses
    }

    /// The first blocks, for others to have their places; they can move.
    func first(_ count: Int, of blocks: [DataBlock]) throws(MkifsError) -> [BlockMove] {
        var moves: [BlockMove] = []
        for (index, block) in blocks.prefix(count).enumerated() {
            moves.append(BlockMove(block: index, unit: try freedom(of: block).unit))
        }
        return moves
    }

    /// All that can move, as mkifs goes about it: what is aligned in the order of the directory, then
    /// all else, the largest first, which fills what is left between.
    func all(_ blocks: [DataBlock]) throws(MkifsError) -> [BlockMove] {
        var moves: [BlockMove] = []
        for (index, block) in blocks.enumerated() {
            guard let unit = try unit(of: block) else { continue }
            moves.append(BlockMove(block: index, unit: unit))
        }
        func slot(_ move: BlockMove) -> Int { blocks[move.block].members.map(\.slot).min() ?? 0 }
        let aligned = moves.filter { $0.unit > 1 }.sorted { slot($0) < slot($1) }
        let others = moves.filter { $0.unit == 1 }.sorted { left, right in
            let (one, other) = (blocks[left.block].byteCount, blocks[right.block].byteCount)
            return one == other ? slot(left) < slot(right) : one > other
        }
        return aligned + others
    }

    /// By which multiples a block can move; nil for one that cannot. What begins on a page may have
    /// been put there, and stays on one.
    private func unit(of block: DataBlock) throws(MkifsError) -> UInt64? {
        let freedom = try freedom(of: block)
        guard !freedom.isFixed else { return nil }
        let pageSize = max(addresses.pageSize, 1)
        let isOnPage = block.range.lowerBound % pageSize == addresses.pagePhase
        return isOnPage ? max(freedom.unit, pageSize) : freedom.unit
    }

    private func freedom(of block: DataBlock) throws(MkifsError) -> DataBlock.Freedom {
        do throws(FormatError) {
            return try block.freedom(image, addresses)
        } catch {
            throw .format(error)
        }
    }
}

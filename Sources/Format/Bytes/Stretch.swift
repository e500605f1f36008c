/// Bytes that one source has from another: the same wherever they are met again.
public struct Stretch: Sendable {
    /// What holds them itself; nil for what cannot be told from another.
    let root: (any ByteSource & AnyObject)?
    /// Where they begin there.
    let offset: UInt64
    /// Bytes.
    let count: UInt64

    /// Its first bytes.
    func prefix(_ count: UInt64) -> Stretch {
        Stretch(root: root, offset: offset, count: min(count, self.count))
    }

    /// Whether both begin with the same bytes of the same source.
    func isSame(as other: Stretch) -> Bool {
        guard let root, let otherRoot = other.root else { return false }
        return root === otherRoot && offset == other.offset
    }
}

extension ByteSource {
    /// Bytes that could be anybody's.
    public func stretch(at offset: UInt64) -> Stretch {
        Stretch(root: nil, offset: offset, count: byteCount &- min(offset, byteCount))
    }

    /// Whether all bytes of a range are those that another source has there itself.
    func takes(_ range: Range<UInt64>, from other: any ByteSource & AnyObject) -> Bool {
        var position = range.lowerBound
        while position < range.upperBound {
            guard position < byteCount else { return false }
            let part = stretch(at: position)
            guard part.root === other, part.offset == position, part.count > 0 else { return false }
            position &+= part.count
        }
        return true
    }
}

extension ByteSource where Self: AnyObject {
    /// Its own.
    public func stretch(at offset: UInt64) -> Stretch {
        Stretch(root: self, offset: offset, count: byteCount &- min(offset, byteCount))
    }
}

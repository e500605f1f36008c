internal import Glibc

/// Bytes that can be read at any position by any thread: a file, memory, a window, a decoded stream.
///
/// There is no cursor, so readers need no lock. A source never changes its `byteCount`.
public protocol ByteSource: Sendable {
    /// Bytes from the first to the end.
    var byteCount: UInt64 { get }

    /// Reads from byte `offset` on into `buffer` and returns how many bytes it gave: as many as the
    /// buffer holds, fewer only where the source ends. Throws `io`, or a decoder's `corrupt`.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int

    /// Says that `count` bytes from `offset` on will be read soon: a source on a medium has them
    /// fetched meanwhile. Nothing may come of it.
    func willRead(_ count: UInt64, from offset: UInt64)

    /// Says that nothing will be read for a while: a medium's bytes need not be kept in memory.
    func willRest()

    /// Where the next bytes begin, from `offset` on, that are not known to be zeros: behind a hole of a
    /// sparse file. `byteCount` where there are none.
    func dataStart(from offset: UInt64) -> UInt64

    /// Where the bytes from `offset` on come from, and how many come from there; `offset` lies before
    /// the end.
    func stretch(at offset: UInt64) -> Stretch
}

extension ByteSource {
    /// Nothing.
    public func willRead(_ count: UInt64, from offset: UInt64) {}

    /// Nothing.
    public func willRest() {}

    /// There: nothing is known of them.
    public func dataStart(from offset: UInt64) -> UInt64 { min(offset, byteCount) }

    /// The `count` bytes from `offset` on; throws `truncated` in the name of `what` when the source
    /// ends before. Nothing is allocated for bytes that are not there.
    public func bytes(
        _ count: UInt64, at offset: UInt64, _ what: @autoclosure () -> String
    ) throws(FormatError) -> [UInt8] {
        let available = offset <= byteCount ? byteCount &- offset : 0
        guard count <= available, let exact = Int(exactly: count) else {
            throw .truncated(Place(what(), offset), needed: count, available: available)
        }
        let found = try prefix(exact, at: offset)
        guard found.count == exact else {
            throw .truncated(Place(what(), offset), needed: count, available: UInt64(found.count))
        }
        return found
    }

    /// Up to `count` bytes from `offset` on; fewer where the source ends.
    public func prefix(_ count: Int, at offset: UInt64) throws(FormatError) -> [UInt8] {
        let available = offset <= byteCount ? byteCount &- offset : 0
        let wanted = Int(clamping: min(available, UInt64(clamping: count)))
        guard wanted > 0 else { return [] }
        return try unsafe .filled(upTo: wanted) { buffer throws(FormatError) in
            try unsafe read(into: buffer, at: offset)
        }
    }
}

extension [UInt8] {
    /// Where other bytes first differ, or one of the two ends; nil if they are the same.
    public func firstDifference(from other: [UInt8]) -> Int? {
        let count = Swift.min(count, other.count)
        let isSame = unsafe withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { two in
                guard let one = one.baseAddress, let two = two.baseAddress else { return true }
                return unsafe memcmp(one, two, count) == 0
            }
        }
        if isSame { return self.count == other.count ? nil : count }
        return zip(self, other).prefix { $0 == $1 }.count
    }

    /// The bytes that `body` puts at the start of a buffer of `capacity` bytes; it returns their
    /// number.
    static func filled(
        upTo capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Int
    ) throws(FormatError) -> [UInt8] {
        var failure: FormatError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            do throws(FormatError) {
                count = try unsafe body(UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// Bytes in memory.
public struct MemorySource: ByteSource {
    private let bytes: [UInt8]

    /// The bytes given, from the first on.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The bytes in memory.
    public var byteCount: UInt64 { UInt64(bytes.count) }

    /// A copy; never fails.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard let start = Int(exactly: offset), start < bytes.count else { return 0 }
        let count = min(buffer.count, bytes.count &- start)
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: source[start..<(start &+ count)]))
        }
        return count
    }
}

/// A part of another source.
public struct WindowSource: ByteSource {
    let whole: any ByteSource
    /// Where in the whole it begins.
    let start: UInt64
    /// The bytes of the window that the whole has.
    public let byteCount: UInt64

    /// `count` bytes of `whole` from `start` on, or as many of them as there are.
    public init(_ whole: any ByteSource, from start: UInt64, count: UInt64) {
        let first = min(start, whole.byteCount)
        byteCount = min(count, whole.byteCount &- first)
        let window = whole as? WindowSource
        self.whole = window?.whole ?? whole
        self.start = first &+ (window?.start ?? 0)
    }

    /// A read of the whole, cut at the window's end.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < byteCount else { return 0 }
        let count = Int(clamping: min(UInt64(buffer.count), byteCount &- offset))
        return try unsafe whole.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count]), at: start &+ offset)
    }

    /// Tells the whole.
    public func willRead(_ count: UInt64, from offset: UInt64) {
        guard offset < byteCount else { return }
        whole.willRead(min(count, byteCount &- offset), from: start &+ offset)
    }

    /// Tells the whole.
    public func willRest() { whole.willRest() }

    /// The whole's, up to the end of the window.
    public func dataStart(from offset: UInt64) -> UInt64 {
        guard offset < byteCount else { return byteCount }
        return min(byteCount, whole.dataStart(from: start &+ offset) &- start)
    }

    /// The whole's, up to the end of the window.
    public func stretch(at offset: UInt64) -> Stretch {
        whole.stretch(at: start &+ offset).prefix(byteCount &- min(offset, byteCount))
    }
}

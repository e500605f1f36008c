package import Format
internal import Synchronization

/// A file that somebody else changes while it is read.
package final class FickleSource: ByteSource {
    /// What happens to the file.
    package enum Change: UInt8, CaseIterable, Sendable {
        /// Nothing.
        case none
        /// It loses its second half: reads give fewer bytes than `byteCount` promised.
        case cut
        /// The medium fails.
        case fails
        /// Another file of the same size takes its place.
        case replaced
    }

    package let byteCount: UInt64
    private let before: [UInt8]
    private let after: [UInt8]
    private let change: Change
    private let readsLeft: Atomic<Int>

    /// `bytes`, which change at the read after `reads` others. Of those to be replaced the first half
    /// is the file before, the second the file after.
    package init(_ bytes: [UInt8], _ change: Change, after reads: Int) {
        self.change = change
        readsLeft = Atomic(reads)
        let half = bytes.count / 2
        before = change == .replaced ? Array(bytes[..<half]) : bytes
        after = change == .replaced ? Array(bytes[half...]) : Array(bytes[..<half])
        byteCount = UInt64(before.count)
    }

    /// A file whose fate the first byte of `input` tells: its kind in two bits, its hour in six.
    package convenience init(_ input: inout Input) {
        let fate = input.byte()
        self.init(input.rest, Change(rawValue: fate & 3) ?? .none, after: Int(fate >> 2))
    }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        let hasChanged =
            change != .none
            && readsLeft.wrappingSubtract(1, ordering: .relaxed).newValue < 0
        if hasChanged, change == .fails { throw .io(Place("byte", offset), errno: 5) }
        let bytes = hasChanged ? after : before
        guard offset < UInt64(bytes.count) else { return 0 }
        let source = bytes[Int(offset)...].prefix(buffer.count)
        unsafe source.withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
        return source.count
    }
}

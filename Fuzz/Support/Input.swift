/// A fuzzer's input: numbers that say what to do, then the bytes to do it with.
///
/// Behind the end there are zeros, so that an input of any length means something.
package struct Input {
    /// What was not taken yet.
    package private(set) var rest: [UInt8]

    package init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        rest = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    }

    package init(_ bytes: [UInt8]) { rest = bytes }

    /// The next bytes; fewer where the input ends.
    package mutating func take(_ count: Int) -> [UInt8] {
        let head = Array(rest.prefix(count))
        rest.removeFirst(head.count)
        return head
    }

    /// The next byte.
    package mutating func byte() -> UInt8 { take(1).first ?? 0 }

    /// The next integer of `count` bytes, least significant first.
    package mutating func number(_ count: Int) -> UInt64 {
        take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Uses a value, as far as the optimizer can tell.
@inline(never)
@_optimize(none)
package func keep<Value>(_ value: Value) {
    withExtendedLifetime(value) {}
}

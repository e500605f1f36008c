import TestSupport

/// Choices that come out the same everywhere, which those of the standard library do not promise.
extension SplitMix64 {
    /// True that many times out of a hundred.
    mutating func chance(_ percent: UInt64) -> Bool { next() % 100 < percent }

    /// A number of a range.
    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// One of these.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0...elements.count - 1)]
    }

    /// Some of these, in their order.
    mutating func some<Element>(_ elements: [Element], _ percent: UInt64 = 50) -> [Element] {
        var kept: [Element] = []
        for element in elements where chance(percent) { kept.append(element) }
        return kept
    }

    /// All of these in any order.
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var (rest, result): ([Element], [Element]) = (elements, [])
        while !rest.isEmpty { result.append(rest.remove(at: number(0...rest.count - 1))) }
        return result
    }
}

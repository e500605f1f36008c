import Foundation

/// A value of a JSON text, to be asked for members and elements.
struct Report {
    let value: Any?

    /// Parses a whole text; throws where it is no JSON.
    init(_ bytes: [UInt8]) throws {
        value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    private init(_ value: Any?) { self.value = value }

    subscript(_ member: String) -> Report { Report((value as? [String: Any])?[member]) }

    subscript(_ index: Int) -> Report {
        guard let array = value as? [Any], array.indices.contains(index) else { return Report(nil) }
        return Report(array[index])
    }

    var elements: [Report] { (value as? [Any] ?? []).map { Report($0) } }
    /// The names of an object's members.
    var members: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
    var text: String? { value as? String }
    var number: UInt64? { (value as? NSNumber)?.uint64Value }
    /// Whether the value is there and null.
    var isNull: Bool { value is NSNull }
    /// The numbers of an array.
    var numbers: [UInt64] { elements.compactMap(\.number) }
    /// The strings of an array.
    var texts: [String] { elements.compactMap(\.text) }
}

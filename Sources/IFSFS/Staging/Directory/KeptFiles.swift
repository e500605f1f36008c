internal import Format
internal import Mkifs

/// What files of a directory are to have that the host could not take, by path; and whether the directory
/// has changes that no image has.
struct KeptFiles {
    private(set) var attributes: [[UInt8]: HostAttributes] = [:]
    private(set) var isChanged = false

    /// Makes it so.
    mutating func apply(_ edit: DirectoryEdit) {
        switch edit {
        case .changed: isChanged = true
        case .saved: isChanged = false
        case .done: break
        case .kept(let path, let given): attributes[path] = given.isEmpty ? nil : given
        case .removed(let path, _): _ = takeAll(path)
        case .moved(let old, let new, _):
            let moved = takeAll(old)
            _ = takeAll(new)
            putAll(moved, at: new)
        case .exchanged(let one, let other, _):
            let (first, second) = (takeAll(one), takeAll(other))
            putAll(first, at: other)
            putAll(second, at: one)
        }
    }

    /// Whether anything is known of a path or of what lies below it.
    func has(_ path: [UInt8]) -> Bool { attributes.keys.contains { Self.isBelow($0, path) } }

    /// What makes this of what another knows.
    func edits(from other: KeptFiles) -> [DirectoryEdit] {
        let paths = Set(attributes.keys).union(other.attributes.keys)
        return paths.filter { attributes[$0] != other.attributes[$0] }
            .map { .kept($0, attributes[$0] ?? HostAttributes()) }
    }

    private static func isBelow(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        path == directory
            || path.starts(with: directory) && path[directory.count] == UInt8(ascii: "/")
    }

    private mutating func takeAll(
        _ path: [UInt8]
    ) -> [(rest: ArraySlice<UInt8>, attributes: HostAttributes)] {
        let found = attributes.filter { Self.isBelow($0.key, path) }
        for key in found.keys { attributes[key] = nil }
        return found.map { ($0.key[path.count...], $0.value) }
    }

    private mutating func putAll(
        _ all: [(rest: ArraySlice<UInt8>, attributes: HostAttributes)], at path: [UInt8]
    ) {
        for (rest, given) in all { attributes[path + rest] = given }
    }
}

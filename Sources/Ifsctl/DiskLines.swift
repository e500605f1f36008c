internal import Format
internal import ToolSupport

/// What `ifsctl list` says of the parts of a disk.
enum DiskLines {
    /// A partition, or a file system alone, as a line.
    static func line(_ part: Disk.Part) -> String {
        var words = [
            part.partition.map { "p\($0.number)" } ?? "-", part.kind?.rawValue ?? "unknown",
        ]
        if let partition = part.partition {
            let known = partition.typeName
            let name = known.hasSuffix(partition.typeCode) ? "" : " (\(known))"
            words.append("type \(partition.typeCode)\(name)")
        }
        words += ["offset \(hex(part.offset))", "size \(part.bytes.byteCount)"]
        if let used = part.usedByteCount { words.append("used \(used)") }
        let flags = part.flags.map(\.rawValue) + (part.failure == nil ? [] : ["unreadable"])
        if !flags.isEmpty { words.append(flags.joined(separator: " ")) }
        if !part.label.isEmpty { words.append("label \(printable(part.label))") }
        let name = part.partition?.name ?? []
        if !name.isEmpty { words.append("name \(printable(name))") }
        return words.joined(separator: "  ")
    }

    /// Where an image is, as further parts of its line.
    static func place(_ home: ImageHome) -> String {
        let partition = home.isOnTable ? "  partition \(home.partition.map { "\($0)" } ?? "-")" : ""
        return partition + (home.path.map { "  path \(printable($0))" } ?? "")
    }

    /// The disk as an object.
    static func report(_ disk: Disk) -> JSON {
        .object(
            disk.facts().map { name, value in
                guard name == "partitions" else { return (name, value) }
                let parts = zip(disk.parts, disk.names()).map { part, name in
                    JSON.object(part.facts(name) + facts(part))
                }
                return (name, .array(parts))
            })
    }

    private static func facts(_ part: Disk.Part) -> [(String, JSON)] {
        [
            ("used", part.usedByteCount.map { .of($0) } ?? .null),
            ("flags", .array(part.flags.map { .string($0.rawValue) })),
        ]
    }
}

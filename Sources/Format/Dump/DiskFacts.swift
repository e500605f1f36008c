extension Disk {
    /// What the table and the file systems say of a disk, as members of a JSON object. Their meaning is
    /// documented in mount.ifs(8); members are added, never renamed.
    package func facts(_ style: Names = .kind) -> [(String, JSON)] {
        [
            ("table", table.map { .string($0.scheme.rawValue) } ?? .null),
            ("sector_size", table.map { .of($0.sectorSize) } ?? .null),
            ("faults", .array((table?.faults ?? []).map { .string("\($0)") })),
            (
                "partitions",
                .array(zip(parts, names(style)).map { part, name in .object(part.facts(name)) })
            ),
        ]
    }
}

extension Disk.Part {
    /// What is known of it under a name, likewise.
    package func facts(_ name: [UInt8]) -> [(String, JSON)] {
        var facts: [(String, JSON)] = []
        if let partition {
            facts = [
                ("number", .number(Int64(partition.number))), ("name", .text(name)),
                ("type", .string(partition.typeCode)), ("type_name", .string(partition.typeName)),
                ("active", .bool(partition.isActive)), ("table_name", .text(partition.name)),
            ]
        }
        return facts + [
            ("offset", .of(bytes.start)), ("size", .of(bytes.byteCount)),
            ("file_system", kind.map { .string($0.rawValue) } ?? .null),
            ("label", .text(label)),
            ("failure", failure.map { .string("\($0)") } ?? .null),
        ]
    }
}

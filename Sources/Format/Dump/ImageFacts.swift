extension IFS.Image {
    /// What the image's headers say, as members of a JSON object. Their meaning is documented in
    /// dumpifs(1); members are added, never renamed.
    package var facts: [(String, JSON)] {
        [
            ("kind", .string(kind)),
            ("byte_order", .string(header.order.rawValue)),
            ("compression", .string(compression.name)),
            ("start", .of(start)), ("header_offset", .of(headerOffset)),
            ("stored_offset", .of(storedOffset)), ("end", .of(end)),
            ("missing_bytes", .of(missingByteCount)),
            ("displacement", .of(displacement)),
            ("startup", startup.map(startupFacts) ?? .null),
            ("image", headerFacts),
        ]
    }

    /// `boot` with a startup, `hbcifs` in that container, else `bare`.
    package var kind: String {
        container != nil ? "hbcifs" : startup != nil ? "boot" : "bare"
    }

    private func startupFacts(_ startup: IFS.StartupHeader) -> JSON {
        .object([
            ("version", .of(startup.version)), ("flags1", .of(startup.flags1)),
            ("flags2", .of(startup.flags2)), ("header_size", .of(startup.headerSize)),
            ("machine", .of(startup.machine)),
            (
                "machine_name",
                ELF.machineName(startup.machine).map { .string($0.lowercased()) } ?? .null
            ),
            ("startup_vaddr", .of(startup.startupAddress)),
            ("paddr_bias", .of(startup.physicalBias)),
            ("image_paddr", .of(startup.imageAddress)), ("ram_paddr", .of(startup.ramAddress)),
            ("ram_size", .of(startup.ramSize)), ("startup_size", .of(startup.startupSize)),
            ("stored_size", .of(startup.storedSize)),
            ("imagefs_paddr", .of(startup.imagefsAddress)),
            ("imagefs_size", .of(startup.imagefsSize)),
            ("preboot_size", .of(startup.prebootSize)), ("zero0", .of(startup.zeroHalf)),
            ("zero", .of(startup.zeroWord)), ("addr_off", .of(startup.addressOffset)),
            (
                "info",
                .array(IFS.InfoRecord.records(in: startup.info, startup.order).map(info))
            ),
            (
                "boot_arguments",
                JSON.bootArguments { () throws(FormatError) in try startupArguments() }
            ),
        ])
    }

    private func info(_ record: IFS.InfoRecord) -> JSON {
        switch record {
        case .memory(let address, let size):
            .object([
                ("type", .string("memory")), ("address", .of(address)), ("size", .of(size)),
            ])
        case .disk(let drive, let heads, let cylinders, let sectors, let blocks):
            .object([
                ("type", .string("disk")), ("drive", .of(drive)), ("heads", .of(heads)),
                ("cylinders", .of(cylinders)), ("sectors", .of(sectors)), ("blocks", .of(blocks)),
            ])
        case .time(let time): .object([("type", .string("time")), ("time", .of(time))])
        case .box(let type, let bus):
            .object([("type", .string("box")), ("box", .of(type)), ("bus", .of(bus))])
        case .other(let type, let payload):
            .object([("type", .of(type)), ("payload", .string(hexDigits(payload)))])
        }
    }

    private var headerFacts: JSON {
        return .object([
            ("flags", .of(header.flags)), ("image_size", .of(header.imageSize)),
            ("hdr_dir_size", .of(header.directoryEnd)),
            ("dir_offset", .of(header.directoryOffset)),
            ("boot_ino", .array(header.bootInodes.map(JSON.of))),
            ("script_ino", .of(header.scriptInode)),
            ("chain_paddr", .of(header.chainAddress)),
            ("spare", .array(header.spare.map(JSON.of))),
            ("mountflags", .of(header.mountFlags)), ("mountpoint", .text(header.mountpoint)),
        ])
    }
}

extension JSON {
    /// What a search for boot arguments found, or why it failed.
    package static func bootArguments(
        _ find: () throws(FormatError) -> IFS.BootArguments?
    ) -> JSON {
        do throws(FormatError) {
            guard let found = try find() else { return .null }
            return .object([
                ("arguments", .array(found.arguments.map(JSON.text))),
                ("environment", .array(found.environment.map(JSON.text))),
            ])
        } catch {
            return .object([("unreadable", .string("\(error)"))])
        }
    }
}

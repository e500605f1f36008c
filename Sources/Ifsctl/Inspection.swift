internal import Format
internal import ToolSupport

/// What ifsctl does: one file in, lines or JSON out, an exit status back.
enum Inspection {
    /// Prints a line for each partition and each image of a file, or a JSON object of all.
    static func list(_ name: Argument, asJSON: Bool) -> Int32 {
        run { output throws(ToolError) in
            let diagnostics = Diagnostics(tool: "ifsctl")
            diagnostics.sayIfSaved(name)
            let search = try ImageSearch(name)
            let contents = try FileContents(search)
            for warning in contents.warnings { diagnostics.say(warning) }
            if asJSON {
                output.write(report(search, contents, name).text() + "\n")
                return 0
            }
            for part in contents.disk?.parts ?? [] { output.line(DiskLines.line(part)) }
            for found in contents.images {
                let place = found.home.map(DiskLines.place) ?? ""
                output.line("\(found.number)  \(summary(found.image))\(place)")
            }
            return 0
        }
    }

    /// Prints a line for each thing that is wrong with a disk, or with the images of a file.
    static func check(_ name: Argument) -> Int32 {
        run { output throws(ToolError) in
            Diagnostics(tool: "ifsctl").sayIfSaved(name)
            let lines = try findings(in: ImageSearch(name), named: printable(name.bytes))
            for line in lines { output.line(line) }
            return lines.isEmpty ? 0 : 1
        }
    }

    private static func findings(
        in search: ImageSearch, named name: String
    ) throws(ToolError) -> [String] {
        var lines: [String] = []
        do throws(ToolError) {
            if let disk = try search.disk() {
                return disk.check(in: search.bytes).map {
                    "\(name): \(disk.line($0.part, $0.description))"
                }
            }
        } catch {
            guard error.cause != .unreadable else { throw error }
            lines.append(error.description)
        }
        // A table that cannot be read is a finding, whether there are images or not.
        let images = lines.isEmpty ? try search.all() : (try? search.all()) ?? []
        for (index, image) in images.enumerated() {
            let lead = images.count > 1 ? "image \(index + 1): " : ""
            lines += image.check().map { "\(name): \(lead)\($0)" }
        }
        return lines
    }

    /// Runs `body` with the output, and says its error.
    static func run(_ body: (Output) throws(ToolError) -> Int32) -> Int32 {
        let output = Output()
        do throws(ToolError) {
            let status = try body(output)
            try output.finish()
            return status
        } catch {
            Diagnostics(tool: "ifsctl").say(error.description)
            return Ifsctl.trouble
        }
    }

    private static func report(
        _ search: ImageSearch, _ contents: FileContents, _ name: Argument
    ) -> JSON {
        var members: [(String, JSON)] = [
            ("format", .string("ifsctl list")), ("version", .number(1)),
            ("file", .text(name.bytes)), ("file_size", .of(search.bytes.byteCount)),
            ("wrapper", search.wrapper.map { .string($0.rawValue) } ?? .null),
            ("images", .array(contents.images.map { .object(facts($0)) })),
        ]
        if let disk = contents.disk { members.append(("disk", DiskLines.report(disk))) }
        return .object(members)
    }

    private static func facts(_ found: FoundImage) -> [(String, JSON)] {
        let image = found.image
        return [
            ("number", .number(Int64(found.number))), ("type", .string("ifs")),
            ("entries", .number(Int64(image.directory.entries.count))),
        ] + image.facts + (found.home?.facts ?? [])
    }

    private static func summary(_ image: IFS.Image) -> String {
        let machine = image.startup.flatMap { ELF.machineName($0.machine)?.lowercased() } ?? "-"
        let mountpoint = printable(image.header.mountpoint)
        return "ifs  \(image.kind)  offset \(hex(image.headerOffset))"
            + "  size \(image.end - image.headerOffset)  unpacked \(image.header.imageSize)"
            + "  \(image.compression.name)  \(image.header.order.rawValue)-endian  \(machine)"
            + "  \(image.directory.entries.count) entries"
            + (mountpoint.isEmpty ? "" : "  mountpoint \(mountpoint)")
    }
}

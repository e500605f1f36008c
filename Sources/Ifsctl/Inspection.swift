internal import Format
internal import ToolSupport

/// What ifsctl does: one file in, lines or JSON out, an exit status back.
enum Inspection {
    /// Prints a line, or a JSON object, for each image of a file.
    static func list(_ name: Argument, asJSON: Bool) -> Int32 {
        run { output throws(ToolError) in
            Diagnostics(tool: "ifsctl").sayIfSaved(name)
            let search = try ImageSearch(name)
            let images = try search.all()
            if asJSON {
                output.write(report(search, images, name).text() + "\n")
            } else {
                for (index, image) in images.enumerated() {
                    output.line("\(index + 1)  \(summary(image))")
                }
            }
            return 0
        }
    }

    /// Prints a line for each thing that is wrong with the images of a file.
    static func check(_ name: Argument) -> Int32 {
        run { output throws(ToolError) in
            Diagnostics(tool: "ifsctl").sayIfSaved(name)
            let images = try ImageSearch(name).all()
            var count = 0
            for (index, image) in images.enumerated() {
                let lead = images.count > 1 ? "image \(index + 1): " : ""
                for fault in image.check() {
                    output.line("\(printable(name.bytes)): \(lead)\(fault)")
                    count += 1
                }
            }
            return count == 0 ? 0 : 1
        }
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
        _ search: ImageSearch, _ images: [IFS.Image], _ name: Argument
    ) -> JSON {
        .object([
            ("format", .string("ifsctl list")), ("version", .number(1)),
            ("file", .text(name.bytes)), ("file_size", .of(search.bytes.byteCount)),
            ("wrapper", search.wrapper.map { .string($0.rawValue) } ?? .null),
            (
                "images",
                .array(
                    images.enumerated().map { index, image in
                        .object(
                            [
                                ("number", .number(Int64(index + 1))), ("type", .string("ifs")),
                                ("entries", .number(Int64(image.directory.entries.count))),
                            ] + image.facts)
                    })
            ),
        ])
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

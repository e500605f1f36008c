import Format

/// What an image tells of its boot section. All of it is comment: neither the bootfile nor the
/// programs as mkifs takes them can be had from an image.
struct BootSection {
    private let image: IFS.Image

    init(_ image: IFS.Image) { self.image = image }

    /// Prints it, if the image has a startup program.
    func print(to page: BuildfilePage) {
        guard let startup = image.startup, startup.hasProgram else { return }
        page.blank()
        page.comments(
            """
            The image boots, and what this text builds does not: mkifs links a startup program
            from an ELF file, of which the image has kept no more than the linked bytes, and the
            name of the bootfile is not in it at all. To make an image that boots, name your
            processor, bootfile and programs here, and take the '# ' away. The section has to come
            before all files.
            """)
        let bootstraps = image.bootEntries
        if !bootstraps.isEmpty {
            page.comments(
                """
                The bootstrap executables are among the files below as well, linked for their old
                place: there the lines of those that are named here have to go.
                """)
        }
        page.comment("")
        let attribute = startup.flags1 & IFS.StartupHeader.virtualFlag != 0 ? "virtual" : "physical"
        page.comment("[\(attribute)=\(Self.processor(startup)),BOOTFILE] .bootstrap = {")
        printCommand("STARTUP", to: page) { () throws(FormatError) in try image.startupArguments() }
        for entry in bootstraps {
            let name = String(
                decoding: BuildfileWord.sectionWord(
                    lastComponent(image.directory.path(of: entry))), as: UTF8.self)
            printCommand(name, to: page) { () throws(FormatError) in
                try image.bootArguments(of: entry)
            }
        }
        page.comment("}")
    }

    /// A line of the section; where the image has none left, its program and why.
    private func printCommand(
        _ program: String, to page: BuildfilePage,
        _ find: () throws(FormatError) -> IFS.BootArguments?
    ) {
        do throws(FormatError) {
            guard let found = try find() else {
                return page.comment("    \(program) # its arguments are not in the image")
            }
            let words = (found.environment + found.arguments).map(BuildfileWord.sectionWord)
            page.comment(Array("    ".utf8) + words.joined(separator: [0x20]))
        } catch {
            page.comment("    \(program) # its arguments cannot be read: \(error)")
        }
    }

    /// The processor as `virtual=` names it, by the byte order of those that have two.
    private static func processor(_ startup: IFS.StartupHeader) -> String {
        switch ELF.machineName(startup.machine) {
        case "386", "486": "x86"
        case "X86_64": "x86_64"
        case let name?: name.lowercased() + (startup.order == .big ? "be" : "le")
        case nil: "CPU"
        }
    }
}

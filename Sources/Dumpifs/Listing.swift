public import Format
public import ToolSupport

/// The text that the vendor's dumpifs of 6.x prints of an image.
///
/// Columns are hexadecimal; offsets count from the start of the file, and in a packed image from
/// where its header would stand if the image were stored as it unpacks.
public struct Listing {
    /// What to show, and how much of it.
    public struct Options: Sendable {
        /// How often `-v` was given.
        public var verbosity = 0
        /// Whether lines of files end in their MD5.
        public var digests = false
        /// Whether anything but the lines of files shows.
        public var showsStructure = true
        /// Only entries whose last component is one of these; empty for all.
        public var names: [[UInt8]] = []

        /// Everything but details and digests.
        public init() {}
    }

    private let image: IFS.Image
    private let options: Options
    private let output: Output
    /// Whether everything that was asked for could be read.
    public private(set) var isComplete = true
    private static let indent = String(repeating: " ", count: 23)

    /// A listing of `image`, written to `output`.
    public init(_ image: IFS.Image, _ options: Options, to output: Output) {
        self.image = image
        self.options = options
        self.output = output
    }

    /// Prints the listing. Throws when bytes that it needs cannot be read.
    public mutating func print() throws(FormatError) {
        if options.showsStructure { output.line("   Offset     Size  Name") }
        printStartup()
        printHeader()
        if image.directory.bytes.count > 0 {
            structure(
                "Image-directory", image.storedOffset &+ UInt64(image.header.directoryOffset),
                UInt64(image.header.directoryEnd &- image.header.directoryOffset))
        }
        let script = image.script
        for entry in image.directory.entries {
            try printEntry(entry, isScript: entry == script)
        }
        try printChecksums()
    }

    // MARK: Structures

    private func structure(_ name: String, _ offset: UInt64, _ size: UInt64, _ more: String = "") {
        guard options.showsStructure, isWanted(Array(name.utf8)) else { return }
        output.line(" \(column(offset)) \(column(size))  \(name)\(more)")
    }

    private func printStartup() {
        guard let startup = image.startup, options.showsStructure else { return }
        if image.headerOffset > 0, isWanted(Array("*.boot".utf8)) {
            output.line(" \(column(0)) \(column(image.headerOffset))  *.boot")
        }
        structure(
            "Startup-header", image.headerOffset, UInt64(IFS.StartupHeader.byteCount),
            " flags1=\(sharp(startup.flags1)) flags2=\(sharp(startup.flags2))"
                + " paddr_bias=\(sharp(startup.physicalBias))")
        if options.verbosity > 0, isWanted(Array("Startup-header".utf8)) {
            detail("preboot_size=\(sharp(startup.prebootSize))")
            detail(
                "image_paddr=\(sharp(startup.imageAddress))"
                    + " stored_size=\(sharp(startup.storedSize))")
            detail(
                "startup_size=\(sharp(startup.startupSize))"
                    + " imagefs_size=\(sharp(startup.imagefsSize))")
            detail(
                "ram_paddr=\(sharp(startup.ramAddress)) ram_size=\(sharp(startup.ramSize))")
            detail("startup_vaddr=\(sharp(startup.startupAddress))")
        }
        structure(
            "startup.*", image.headerOffset &+ UInt64(IFS.StartupHeader.byteCount),
            UInt64(startup.startupSize) &- UInt64(IFS.StartupHeader.byteCount))
    }

    private func printHeader() {
        let header = image.header
        let mountpoint =
            header.mountpoint.isEmpty ? "" : " mountpoint=" + printable(header.mountpoint)
        structure("Image-header", image.storedOffset, 0x5c, mountpoint)
        guard options.showsStructure, options.verbosity > 0,
            isWanted(Array("Image-header".utf8))
        else { return }
        var words = ["flags=\(sharp(header.flags))"]
        if header.chainAddress != 0 { words.append("chain=\(sharp(header.chainAddress))") }
        if header.scriptInode != 0 { words.append("script=\(header.scriptInode)") }
        let boot = header.bootInodes.filter { $0 != 0 }
        if !boot.isEmpty {
            // The reference prints these, and only these, as signed numbers.
            let numbers = boot.map { "\(Int32(bitPattern: $0))" }
            words.append("boot=" + numbers.joined(separator: ","))
        }
        if header.spare.contains(where: { $0 != 0 }) {
            words.append("spare=" + header.spare.map(sharp).joined(separator: ","))
        }
        words.append("mntflg=\(sharp(header.mountFlags))")
        detail(words.joined(separator: " "))
    }

    private func printChecksums() throws(FormatError) {
        guard options.showsStructure, options.names.isEmpty else { return }
        // The reference reads the word of a bare image as its own machine would.
        let order = image.startup?.order ?? .little
        var words = "Checksums: image=\(sharp(try image.imageChecksum(order)))"
        if let startup = try image.startupChecksum() { words += " startup=\(sharp(startup))" }
        output.line(words)
    }

    // MARK: Entries

    private mutating func printEntry(_ entry: IFS.Dirent, isScript: Bool) throws(FormatError) {
        let path = image.directory.path(of: entry)
        let name = path.isEmpty ? Array("Root-dirent".utf8) : lastComponent(path)
        guard isWanted(name) else { return }
        var line: [UInt8]
        switch entry.kind {
        case .file(let offset, let size):
            line = Array(
                " \(column(image.storedOffset &+ UInt64(offset))) \(column(UInt64(size)))  ".utf8)
            line += shown(path)
            if options.digests { line += Array((" " + digest(of: entry)).utf8) }
        case .symlink(_, let size):
            guard options.showsStructure else { return }
            line = Array(" \(pad("----")) \(column(UInt64(size)))  ".utf8)
            line += shown(path) + Array(" -> ".utf8) + shown(image.directory.target(of: entry))
        case .directory, .unknown:
            guard options.showsStructure else { return }
            line = Array(" \(pad("----")) \(pad("----"))  ".utf8)
            line += shown(path.isEmpty ? name[...] : path)
        case .device(let device, let rawDevice):
            guard options.showsStructure else { return }
            line = Array(" \(pad("----")) \(pad("----"))  ".utf8)
            line += shown(path) + Array(" dev=\(device) rdev=\(rawDevice)".utf8)
        }
        if entry.inode == 0 { line += Array(" (void)".utf8) }
        output.write(line + [10])
        guard options.showsStructure, options.verbosity > 0 else { return }
        detail(
            "gid=\(entry.group) uid=\(entry.user) mode=0\(String(entry.mode & 0o7777, radix: 8))"
                + " ino=\(entry.inode) mtime=\(String(entry.modified, radix: 16))")
        if options.verbosity > 1 { printContents(entry, name, isScript: isScript) }
    }

    /// What the file itself is: an ELF header, or the script's commands.
    private mutating func printContents(_ entry: IFS.Dirent, _ name: [UInt8], isScript: Bool) {
        guard case .file = entry.kind else { return }
        do throws(FormatError) {
            if isScript {
                let script = IFS.Script(try image.scriptData())
                for line in script.listingLines { detail(shown(line)) }
                if let broken = script.broken { throw broken }
            } else if let header = ELF.Header(try image.head(of: entry)) {
                print(header, printable(name))
            }
        } catch {
            isComplete = false
            detail("unreadable: \(error)")
        }
    }

    private func print(_ header: ELF.Header, _ name: String) {
        let isLong = options.verbosity > 2
        let lead = isLong ? "" : Self.indent
        output.line(
            "\(lead)----- \(name) - \(header.className) \(header.typeName)"
                + " \(header.machineName) -----")
        guard isLong else { return }
        let fields: [(String, String)] = [
            ("e_flags", sharp(header.flags)), ("e_entry", sharp(header.entry)),
            ("e_phoff", sharp(header.programHeaderOffset)),
            ("e_phentsize", "\(header.programHeaderSize)"),
            ("e_phnum", "\(header.programHeaderCount)"),
            ("e_shoff", sharp(header.sectionHeaderOffset)),
            ("e_shentsize", "\(header.sectionHeaderSize)"),
            ("e_shnum", "\(header.sectionHeaderCount)"),
            ("e_shstrndx", "\(header.sectionNameIndex)"),
        ]
        for (name, value) in fields { output.line("\(name)=\(value)") }
        for (index, segment) in header.segments.enumerated() {
            output.line(
                "segment \(index): p_type=\(sharp(segment.type)) p_offset=\(sharp(segment.offset))"
                    + " p_vaddr=\(sharp(segment.virtualAddress))"
                    + " p_paddr=\(sharp(segment.physicalAddress))"
                    + " p_filesz=\(sharp(segment.fileSize)) p_memsz=\(sharp(segment.memorySize))"
                    + " p_flags=\(sharp(segment.flags)) p_align=\(sharp(segment.alignment))")
        }
        output.line("----------")
    }

    private mutating func digest(of entry: IFS.Dirent) -> String {
        do throws(FormatError) {
            return hexDigits(try image.digest(of: entry, .md5))
        } catch {
            isComplete = false
            return "unreadable: \(error)"
        }
    }

    // MARK: Text

    private func isWanted(_ name: [UInt8]) -> Bool {
        options.names.isEmpty || options.names.contains(name)
    }

    private func detail(_ text: String) { output.line(Self.indent + text) }

    /// A name as it goes out: its bytes, but to a terminal none that would command it.
    private func shown(_ name: ArraySlice<UInt8>) -> [UInt8] {
        output.isTerminal ? Array(printable(name).utf8) : Array(name)
    }

    /// A line of a script as it goes out, likewise; the newlines in it stay.
    private func shown(_ line: String) -> String {
        guard output.isTerminal else { return line }
        return line.utf8.split(separator: 10, omittingEmptySubsequences: false)
            .map { printable($0) }.joined(separator: "\n")
    }
}

/// Eight columns of hexadecimal.
private func column(_ value: UInt64) -> String { pad(String(value, radix: 16)) }

private func pad(_ text: String) -> String {
    String(repeating: " ", count: max(0, 8 - text.count)) + text
}

/// Hexadecimal as C prints it with `%#x`: a zero has no prefix.
private func sharp(_ value: some BinaryInteger) -> String { value == 0 ? "0" : hex(value) }

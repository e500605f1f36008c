import Format
import ToolSupport

/// An image as a buildfile: what mkifs has to know beside the files that `dumpifs -x` extracts.
///
/// What a buildfile cannot say of the image stands in it as a comment.
struct Buildfile {
    private let image: IFS.Image
    private let entries: [BuildfileEntry]
    private let defaults: BuildfileDefaults
    private let page: BuildfilePage

    /// The buildfile of `image`, to go out on `page`. Throws where its tree cannot be made.
    init(_ image: IFS.Image, to page: BuildfilePage) throws(FormatError) {
        self.image = image
        self.page = page
        entries = try BuildfileEntry.all(of: image)
        defaults = BuildfileDefaults(of: entries)
    }

    /// What is said in comments and was not said of the image before.
    var warnings: [String] {
        entries.flatMap { entry in
            entry.remarks.map { "'\(printable(entry.path))': \($0)" }
        }
    }

    /// Whether everything that the text is made of could be read.
    var isComplete: Bool { entries.allSatisfy(\.isReadable) }

    /// Prints it. `place` says where in which file the image is.
    func print(_ place: String, number: Int) {
        printHead(place, number)
        printImageAttributes()
        BootSection(image).print(to: page)
        page.blank()
        printELFRemark()
        page.line("[" + defaults.words.joined(separator: " ") + "]")
        for entry in entries where !entry.isUsualRoot { entry.print(to: page, defaults) }
        printEnd()
    }

    // MARK: Around the entries

    private func printHead(_ place: String, _ number: Int) {
        let packed = image.compression == .none ? "not packed" : "packed with \(image.compression)"
        let processor = image.startup.flatMap { ELF.machineName($0.machine) }
        page.comment("\(place), as a buildfile")
        page.comment("")
        page.comment(
            ["\(image.kind) image", processor, "\(image.header.order)-endian", packed]
                .compactMap { $0 }.joined(separator: ", "))
        if let startup = image.startup {
            page.comment("\(startup.startupSize) bytes of startup")
        }
        let stored = image.end &- min(image.end, image.storedOffset)
        let unpacked = image.compression == .none ? "" : ", \(image.header.imageSize) unpacked"
        page.comment(
            "\(stored) bytes of image file system\(unpacked), with \(entries.count) entries")
        let choice = number > 1 ? "--image \(number) " : ""
        page.comments(
            """

            The files come from the image itself; names are those in the directory of extraction:

                dumpifs -x -d tree \(choice)IMAGE
                cd tree
                mkifs -nn ../THIS-TEXT ../NEW-IMAGE

            A name with a slash is found from the current directory on, one without by 'search=.'.
            With -nn the time of what has no mtime= is 0, as it is in the image.
            """)
        if image.container != nil {
            page.comments(
                """

                The image stands in a Harman container, which mkifs does not make.
                """)
        }
    }

    private func printImageAttributes() {
        var words: [[UInt8]] = []
        func add(_ word: String) { words.append(Array(word.utf8)) }
        if image.header.order == .big { add("+bigendian") }
        if let startup = image.startup {
            if startup.hasProgram {
                add("image=\(hex(startup.base(of: startup.imageAddress)))")
                if image.isSplit { add("ram=\(hex(startup.base(of: startup.ramAddress)))") }
            }
            if startup.compression != .none { add("compress=\(startup.compression.rawValue)") }
        }
        if image.header.chainAddress != 0 { add("chain=\(hex(image.header.chainAddress))") }
        let mountpoint = image.header.mountpoint
        if !mountpoint.isEmpty || image.startup?.hasProgram == true {
            words.append(Array("mount=".utf8) + BuildfileWord.value(mountpoint))
        }
        guard !words.isEmpty else { return }
        page.blank()
        page.line(Array("[".utf8) + words.joined(separator: [0x20]) + Array("]".utf8))
    }

    private func printELFRemark() {
        let count = entries.count { $0.form == .file(isELF: true) }
        let laidOut = entries.count { $0.isLaidOut }
        guard count > 0 else { return }
        page.comments(
            """
            ELF files are marked +raw, to be stored as they were extracted. When the image was made,
            \(laidOut) of the \(count) were laid out: addresses in them are those of their place in the
            old image, and wrong in any other. Where the original of a file is at hand, put that in
            its place and take +raw away.
            """)
    }

    private func printEnd() {
        let directory = image.directory
        guard !directory.skipped.isEmpty || directory.broken != nil else { return }
        page.blank()
        for error in directory.skipped { page.comment("an entry is left out: \(error)") }
        if let broken = directory.broken { page.comment("the directory breaks off: \(broken)") }
    }
}

/// Where the lines of a buildfile go.
struct BuildfilePage {
    private let output: Output

    /// A page that goes out by `output`.
    init(_ output: Output) { self.output = output }

    /// A line; on a terminal what would command it is escaped. A newline in it stays.
    func line(_ bytes: [UInt8]) {
        guard output.isTerminal else { return output.write(bytes + [10]) }
        for piece in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            output.line(printable(piece))
        }
    }

    func line(_ text: String) { line(Array(text.utf8)) }

    func blank() { output.line("") }

    /// A comment of one line, whatever is in the text.
    func comment(_ bytes: [UInt8]) {
        let text = bytes.contains(10) ? Array(printable(bytes).utf8) : bytes
        line(text.isEmpty ? Array("#".utf8) : Array("# ".utf8) + text)
    }

    func comment(_ text: String) { comment(Array(text.utf8)) }

    /// A comment line for each line of the text.
    func comments(_ text: String) {
        for line in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
            comment(Array(line))
        }
    }
}

extension IFS.Image {
    /// Whether its data runs from RAM and its code where it was stored: `ram=` was given.
    fileprivate var isSplit: Bool {
        header.flags & IFS.ImageHeader.readOnlyFlag != 0
            || startup.map { $0.ramAddress != $0.imageAddress } == true
    }
}

extension IFS.StartupHeader {
    /// Whether a program follows the header; one of a packed image that does not boot has none.
    var hasProgram: Bool { Int(startupSize) > Self.byteCount + trailerSize }

    /// What `image=` or `ram=` said, by the address that came of it: the loaded boot prefix lies
    /// before this header, and addresses in it are less by the bias.
    fileprivate func base(of address: UInt32) -> UInt64 {
        UInt64(address &- UInt32(prebootSize) &+ physicalBias) &+ addressOffset
    }
}

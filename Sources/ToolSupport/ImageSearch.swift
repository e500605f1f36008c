public import Format

/// The images in a file that a command line names.
public struct ImageSearch {
    /// The file's bytes, or what its text wrapper decodes to.
    public let bytes: any ByteSource
    /// What the file is as a whole; nil for nothing in particular.
    public let wrapper: IFS.Wrapper?
    /// Whether the file has been written, truncated or replaced since it was opened.
    public let hasChanged: @Sendable () -> Bool
    /// Whether its bytes may be others than when it was opened, whatever has its name now.
    public let wasWritten: @Sendable () -> Bool
    /// Whether the name is that of a regular file, whose bytes are these: no pipe, device or text.
    public let isPlainFile: Bool
    let name: Argument
    private let start: UInt64
    private let options: IFS.Image.Options

    /// Opens the file that `name` names; images are searched from byte `start` on.
    public init(
        _ name: Argument, from start: UInt64 = 0, _ options: IFS.Image.Options = .init()
    ) throws(ToolError) {
        let file = try InputFile.open(name)
        hasChanged = { file.hasChanged }
        wasWritten = { file.wasWritten }
        do throws(FormatError) {
            (wrapper, bytes) = try IFS.unwrapped(file)
            isPlainFile =
                name.text != "-" && file.isRegularFile && bytes as? FileSource === file
        } catch {
            throw ToolError(error, in: name)
        }
        guard start == 0 || start < bytes.byteCount else {
            throw ToolError(
                "\(printable(name.bytes)): found \(bytes.byteCount) bytes,"
                    + " expected more than the offset \(start)", cause: .noImage)
        }
        self.name = name
        self.start = start
        self.options = options
    }

    /// The disk, or the file system other than an IFS, that begins at the first byte that is searched;
    /// nil where there is neither, and images are searched for. An error has its cause: `unreadable`
    /// for a medium that fails, else a table of which nothing is whole.
    public func disk(_ options: Disk.Options = .init()) throws(ToolError) -> Disk? {
        do throws(FormatError) {
            return try Disk.find(
                in: WindowSource(bytes, from: start, count: .max), options)
        } catch {
            throw ToolError(error, in: name)
        }
    }

    /// All images, in order; at least one.
    public func all() throws(ToolError) -> [IFS.Image] { try images(upTo: .max) }

    /// The `number`th image, counted from 1. Nothing behind it is searched.
    public func image(_ number: Int) throws(ToolError) -> IFS.Image {
        let images = try images(upTo: number)
        guard images.count >= number, number > 0 else {
            throw ToolError(
                "\(printable(name.bytes)): found \(images.count) image"
                    + "\(images.count == 1 ? "" : "s"), expected an image \(number)",
                cause: .noImage)
        }
        return images[number - 1]
    }

    private func images(upTo most: Int) throws(ToolError) -> [IFS.Image] {
        var scanner = IFS.Scanner(bytes, from: start, options)
        var images: [IFS.Image] = []
        do throws(FormatError) {
            while images.count < most, let image = try scanner.next() { images.append(image) }
        } catch {
            throw ToolError(error, in: name)
        }
        guard !images.isEmpty else { throw nothing(scanner.refusal) }
        return images
    }

    /// Why there is no image.
    func nothing(_ refusal: FormatError?) -> ToolError {
        let file = printable(name.bytes)
        if let container = wrapper?.refusal {
            return ToolError(
                "\(file): found \(container), expected an IFS image, which it is not",
                cause: .unsupported)
        }
        let whole = WindowSource(bytes, from: start, count: .max)
        // What cannot be read was told before.
        if let near = (try? PartitionTable.refusal(whole)) ?? nil {
            return ToolError(
                "\(file): no IFS image found; the nearest thing to a disk: \(near)",
                cause: .noImage)
        }
        guard let refusal else {
            return ToolError("\(file): no IFS image found", cause: .noImage)
        }
        let cause = ToolError(refusal, in: name).cause
        return ToolError(
            "\(file): no IFS image found; the nearest thing to one: \(refusal)", cause: cause)
    }
}

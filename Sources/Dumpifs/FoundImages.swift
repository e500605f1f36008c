import Format
import ToolSupport

/// The images of the file that a command line names, and the one that it means.
struct FoundImages {
    let wrapper: IFS.Wrapper?
    let byteCount: UInt64
    let images: [FoundImage]
    /// What is wrong with a disk that they are on, a line each.
    let warnings: [String]
    /// The number that `--image` gave; nil without it.
    private let number: Int?
    private let name: Argument

    /// Opens the file. Behind an offset its bytes are searched as they are, be they a disk's or not.
    init(_ name: Argument, _ options: OptionTable.Parsed) throws(ToolError) {
        let offset = try options.number("offset")
        let search = try ImageSearch(name, from: offset ?? 0)
        self.name = name
        wrapper = search.wrapper
        byteCount = search.bytes.byteCount
        number = try options.number("image", atLeast: 1).map { Int(clamping: $0) }
        let contents = try FileContents(search, searchesDisks: offset == nil)
        if let nothing = contents.nothing { throw nothing }
        images = contents.images
        warnings = contents.warnings
    }

    /// The image that `--image` names; nil without the option, or where there are fewer.
    var chosenImage: FoundImage? {
        number.flatMap { $0 <= images.count ? images[$0 - 1] : nil }
    }

    /// The image to work on: `--image`'s, else the first.
    func chosen() throws(ToolError) -> FoundImage {
        guard let number else { return images[0] }
        guard let image = chosenImage else {
            throw ToolError(
                "\(printable(name.bytes)): found \(images.count) image"
                    + "\(images.count == 1 ? "" : "s"), expected an image \(number)")
        }
        return image
    }

    /// What an image is called in messages: the file, and where on its disk the image is.
    func name(of found: FoundImage) -> Argument {
        guard let home = found.home, !home.description.isEmpty else { return name }
        return Argument(bytes: name.bytes + Array(": \(home)".utf8))
    }

    /// Whether all bytes before an image belong to it: it is the first of its file. What is before an
    /// image in the bytes of a disk is the disk's.
    func isFirst(_ found: FoundImage) -> Bool {
        siblings(of: found).first?.number == found.number
    }

    /// Whether a file holds this image and no other.
    func isAlone(_ found: FoundImage) -> Bool { siblings(of: found).count == 1 }

    private func siblings(of found: FoundImage) -> [FoundImage] {
        if let home = found.home, home.path == nil { return [] }
        return images.filter { $0.home == found.home }
    }
}

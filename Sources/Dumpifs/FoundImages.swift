import Format
import ToolSupport

/// The images of the file that a command line names, and the one that it means.
struct FoundImages {
    let wrapper: IFS.Wrapper?
    let byteCount: UInt64
    let images: [IFS.Image]
    /// The number that `--image` gave; nil without it.
    private let number: Int?
    private let name: Argument

    init(_ name: Argument, _ options: OptionTable.Parsed) throws(ToolError) {
        let search = try ImageSearch(name, from: try options.number("offset") ?? 0)
        self.name = name
        wrapper = search.wrapper
        byteCount = search.bytes.byteCount
        number = try options.number("image", atLeast: 1).map { Int(clamping: $0) }
        images = try search.all()
    }

    /// The image that `--image` names; nil without the option, or where there are fewer.
    var chosenImage: IFS.Image? {
        number.flatMap { $0 <= images.count ? images[$0 - 1] : nil }
    }

    /// The image to work on: `--image`'s, else the first.
    func chosen() throws(ToolError) -> IFS.Image {
        guard let number else { return images[0] }
        guard let image = chosenImage else {
            throw ToolError(
                "\(printable(name.bytes)): found \(images.count) image"
                    + "\(images.count == 1 ? "" : "s"), expected an image \(number)")
        }
        return image
    }

    /// An image's place among those of the file, from 1.
    func number(of image: IFS.Image) -> Int {
        (images.firstIndex { $0.headerOffset == image.headerOffset } ?? 0) + 1
    }
}

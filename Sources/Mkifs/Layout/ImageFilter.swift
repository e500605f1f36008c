internal import Format
internal import Glibc

extension Toolbox {
    /// Runs an image filter on a finished image, in place. `headerOffset` is the byte offset of the
    /// startup header. Throws where the filter fails, or leaves no image.
    public func run(
        _ filter: Plan.ImageFilter, on image: [UInt8], headerOffset: UInt64
    ) throws(MkifsError) {
        let isCopying = filter.command.hasCode(UInt8(ascii: "I"))
        let input = image + Array(".input".utf8)
        if isCopying {
            setInput(input)
            try move(image, to: input)
        }
        defer {
            if isCopying { _ = unsafe unlink(cString(input)) }
            setInput(nil)
        }
        let command = filter.command.replacingCodes { code in
            switch code {
            case UInt8(ascii: "a"): filter.arguments
            case UInt8(ascii: "s"): Array(hex(headerOffset).utf8)
            case UInt8(ascii: "i"): ShellCommand.quoted(path: image)
            case UInt8(ascii: "I"): ShellCommand.quoted(path: input)
            default: nil
            }
        }
        do throws(LinkingError) {
            try perform(command)
        } catch {
            throw .refused("image filter: \(error)")
        }
        guard let status = HostStatus(image, followsLinks: true), status.byteCount > 0 else {
            throw .refused(
                "image filter: command '\(printable(command))': found an empty file behind it,"
                    + " expected an image")
        }
    }

    /// Gives the image another name, and its own to an empty file of the same mode.
    private func move(_ image: [UInt8], to input: [UInt8]) throws(MkifsError) {
        let mode = HostStatus(image, followsLinks: true)?.permissions ?? 0o666
        guard unsafe rename(cString(image), cString(input)) == 0 else {
            throw .system("cannot rename", image, errno: errno)
        }
        let descriptor = unsafe open(
            cString(image), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("cannot make", image, errno: errno) }
        fchmod(descriptor, mode_t(mode))
        close(descriptor)
    }
}

extension [UInt8] {
    fileprivate func hasCode(_ code: UInt8) -> Bool {
        var found = false
        _ = replacingCodes {
            found = found || $0 == code
            return nil
        }
        return found
    }

    /// The text with each `%` and its letter replaced; what has no value stays as it is.
    fileprivate func replacingCodes(_ value: (UInt8) -> [UInt8]?) -> [UInt8] {
        var text: [UInt8] = []
        var rest = self[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let code = rest.first, let value = value(code) else {
                text.append(byte)
                continue
            }
            rest = rest.dropFirst()
            text += value
        }
        return text
    }
}

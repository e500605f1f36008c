internal import Glibc

/// `0x` and lower-case digits.
public func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

/// The system's words for an errno.
public func systemMessage(_ errno: Int32) -> String {
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text)
}

/// Bytes from an image as text for a message: what is printable as it is, the rest as `\xNN`.
public func printable(_ bytes: some Sequence<UInt8>) -> String {
    let raw = Array(bytes)
    if let text = String(validating: raw, as: UTF8.self),
        text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    {
        return text
    }
    return raw.reduce(into: "") { text, byte in
        if (0x20..<0x7f).contains(byte) {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let digits = String(byte, radix: 16)
            text += "\\x" + (digits.count == 1 ? "0" : "") + digits
        }
    }
}

/// Bytes as C has a text: with a zero behind them.
public func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

/// The directory that a path leads to or into: all before its last slash, `/` for what is right below
/// that, and `.` for a mere name. Slashes at the end are part of the path.
public func parentPath(_ path: [UInt8]) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    guard let end = path.lastIndex(of: slash) else { return [UInt8(ascii: ".")] }
    return end == 0 ? [slash] : Array(path[..<end])
}

/// The part of a path behind its last slash; slashes at its end count for nothing.
public func lastComponent(_ path: some Collection<UInt8>) -> [UInt8] {
    Array(path.split(separator: UInt8(ascii: "/")).last ?? [])
}

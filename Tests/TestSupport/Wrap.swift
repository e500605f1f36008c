/// Puts images into the files that they are found in.
public enum Wrap {
    /// `size` bytes of an ELF32 header as mkifsf_elf writes it, then the image.
    public static func elf(_ image: [UInt8], headerSize: Int = 0x180) -> [UInt8] {
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
        for half: UInt16 in [2, 40] { head.append(half, isBigEndian: false) }
        for word: UInt32 in [1, 0x8000_0100, 52, 84, 0] { head.append(word, isBigEndian: false) }
        for half: UInt16 in [52, 32, 1, 40, 3, 2] { head.append(half, isBigEndian: false) }
        let size = UInt32(image.count)
        let start = UInt32(headerSize)
        for word in [1, start, 0x8000_0000, 0x8000_0000, size, size, 7, start] {
            head.append(word, isBigEndian: false)
        }
        return head + [UInt8](repeating: 0, count: headerSize - head.count) + image
    }

    /// A DOS stub and the mark of a PE header, 0x200 bytes, then the image.
    public static func pe(_ image: [UInt8]) -> [UInt8] {
        var head = Array("MZ".utf8) + [UInt8](repeating: 0, count: 0x1fe)
        head.set(UInt32(0x80), at: 0x3c)
        head.set(Array("PE\0\0".utf8), at: 0x80)
        head.set(UInt16(0xaa64), at: 0x84)
        return head + image
    }

    /// U-Boot's legacy header of 64 bytes, then the image. Its two sums are left at 0.
    public static func uImage(_ image: [UInt8]) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 64)
        head.set(UInt32(0x2705_1956), at: 0, isBigEndian: true)
        head.set(UInt32(image.count), at: 12, isBigEndian: true)
        head.set(UInt32(0x8000_0000), at: 16, isBigEndian: true)
        head.set(Array("QNX".utf8), at: 32)
        return head + image
    }

    /// mkifsf_openbios: a header of 32 bytes, the image, and zeros up to a multiple of 512.
    public static func openBIOS(_ image: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for word: UInt32 in [
            0x0052_504f, 0x8000_0000, UInt32((image.count + 31) / 512 + 1), 0, 0x8000_0100, 0, 0, 0,
        ] { bytes.append(word, isBigEndian: true) }
        bytes += image
        bytes.pad(to: 512)
        return bytes
    }

    /// Motorola S-records of type 1, 2 or 3, from `address` on.
    public static func sRecords(
        _ image: [UInt8], type: Int = 3, address: Int = 0x8000_0000, lineLength: Int = 32,
        newline: String = "\r\n"
    ) -> [UInt8] {
        var text = "S0030000FC" + newline
        for start in stride(from: 0, to: image.count, by: lineLength) {
            let data = image[start..<min(image.count, start + lineLength)]
            text += sRecord(type, address: address + start, Array(data)) + newline
        }
        text += sRecord(10 - type, address: address, []) + newline
        return Array(text.utf8)
    }

    /// One line without its end, of type 0 to 9.
    public static func sRecord(_ type: Int, address: Int, _ data: [UInt8]) -> String {
        let width = [2, 2, 3, 4, 2, 2, 3, 4, 3, 2][type]
        var bytes = [UInt8(data.count + width + 1)]
        bytes += [UInt8](UInt32(truncatingIfNeeded: address), isBigEndian: true).suffix(width)
        bytes += data
        bytes.append(~bytes.reduce(0, &+))
        let digits = Array("0123456789ABCDEF".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "S\(type)" + String(decoding: text, as: UTF8.self)
    }

    /// Harman's container: 64 bytes, then the image file system as one packed block.
    public static func hbcifs(_ plain: [UInt8], _ packing: Packing) -> [UInt8] {
        let packed = Packer.block(plain[...], packing)
        var head = Array("hbcifs\0\0".utf8)
        for word in [UInt32(plain.count), UInt32(packed.count), 0, 0x1234_5678] {
            head.append(word, isBigEndian: false)
        }
        head += [2, 0, packing.code == 2 ? 1 : 3, 0] + [UInt8](repeating: 0, count: 36)
        return head + packed
    }

    /// VAG's stage-2 container: 512 bytes of header, contents at 0x800.
    public static func mifs(_ contents: [UInt8]) -> [UInt8] {
        var head = Array("MIFS".utf8) + [UInt8](repeating: 0, count: 0x7fc)
        head.set(UInt32(0x800), at: 4)
        head.set(UInt32(0x800 + contents.count), at: 8)
        return head + contents
    }

    /// The start of Audi's stage-2 image.
    public static func hsp(_ contents: [UInt8]) -> [UInt8] {
        [0x48, 0x53, 0x50, 0x0e] + [UInt8](repeating: 0, count: 60) + contents
    }
}

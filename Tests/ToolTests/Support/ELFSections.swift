import TestSupport

/// The sections of an ELF64 file, little-endian, but for the null section, in their order.
func elfSections(_ file: [UInt8]) -> [(name: String, bytes: [UInt8])] {
    let table = Int(file.integer(UInt64.self, at: 40))
    let count = Int(file.integer(UInt16.self, at: 60))
    func field(_ index: Int, _ offset: Int) -> Int {
        Int(file.integer(UInt64.self, at: table + index * 64 + offset))
    }
    guard count > 0 else { return [] }
    let names = field(Int(file.integer(UInt16.self, at: 62)), 24)
    return (1..<count).map { index in
        let start = names + Int(file.integer(UInt32.self, at: table + index * 64))
        let name = String(decoding: file[start...].prefix { $0 != 0 }, as: UTF8.self)
        return (name, Array(file[field(index, 24)...].prefix(field(index, 32))))
    }
}

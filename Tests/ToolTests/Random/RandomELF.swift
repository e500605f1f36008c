import TestSupport

/// An ELF32 file that no linker made: any segments and sections that images can hold.
struct RandomELF {
    /// What the file is for.
    enum Role {
        case program
        /// A program that has to be linked.
        case object
        case library
        /// A program that is started before there is a file system, with room for its arguments.
        case boot
        /// The first of those. It has no notes: real images have them behind the program, the model
        /// where they run.
        case startup

        var isBoot: Bool { self == .boot || self == .startup }
    }

    private(set) var bytes: [UInt8] = []
    /// The largest alignment of a segment.
    private(set) var alignment = 1
    /// Whether there are segments that are written to.
    var isWritten: Bool { loads.contains { $0.flags & 2 != 0 && $0.size > 0 } }

    let role: Role
    private let isBig: Bool
    private let machine: UInt16
    private var loads: [Load] = []
    private var extras: [Header] = []
    private var random: SplitMix64
    private var headersEnd = 0
    private var stringsAddress = 0

    /// A segment, and pieces of it that other headers speak of.
    private struct Load {
        var offset = 0
        var address = 0
        var size = 0
        var memorySize = 0
        var flags: UInt32
        var alignment: Int
        var pieces: [(kind: UInt32, bytes: [UInt8])] = []
        let body: [UInt8]
        let extraMemory: Int
    }

    /// A program header.
    fileprivate struct Header {
        let kind: UInt32
        var offset = 0
        var address = 0
        var size = 0
        var memorySize = 0
        var flags: UInt32 = 4
        var alignment = 4
    }

    private enum Kind {
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let interpreter: UInt32 = 3
        static let note: UInt32 = 4
        static let headers: UInt32 = 6
        static let relocations: UInt32 = 0x4001
        static let stack: UInt32 = 0x6474_e551
        static let unwinding: UInt32 = 0x7000_0001
        /// Pieces that no header speaks of: the strings of a library, the room for arguments.
        static let strings: UInt32 = 0x1_0000
        static let room: UInt32 = 0x1_0001
    }

    /// A file made of these random numbers.
    init(_ role: Role, isBig: Bool, machine: UInt16, soname: String, _ random: SplitMix64) {
        self.role = role
        self.isBig = isBig
        self.machine = machine
        self.random = random
        addLoads()
        addPieces(soname)
        countHeaders()
        let coversHeaders = place()
        emit(coversHeaders)
        addSections()
    }

    // MARK: What there is

    private mutating func addLoads() {
        let isWide = !role.isBoot && random.chance(10)
        let common: [UInt32] = [5, 5, 6, 6, 4, 7]
        for index in 0..<random.number(1...4) {
            let size = random.pick([1, 3, 20, 300, 1000, 1001, 4096, random.number(1...6000)])
            let startsInPlace = index == 0 && (isWide || role.isBoot)
            let flags = startsInPlace ? 5 : random.pick(common)
            loads.append(
                Load(
                    flags: flags,
                    alignment: isWide ? 0x10000 : random.pick([0x1000, 0x1000, 0x20, 4, 1, 0]),
                    body: random.chance(50) ? random.noise(size) : random.text(size),
                    extraMemory: random.pick([0, 0, 1, 4, 300, 5000])))
        }
        alignment = max(1, loads.map(\.alignment).max() ?? 1)
    }

    private mutating func addPieces(_ soname: String) {
        let last = loads.count - 1
        if role == .library {
            loads[last].pieces += [(Kind.strings, [0] + Array(soname.utf8) + [0])]
            if random.chance(80) { loads[last].pieces += [(Kind.dynamic, dynamicSection())] }
        }
        if role.isBoot && random.chance(80) {
            loads[random.number(0...last)].pieces += [
                (Kind.room, Array("ddpvbskr".utf8) + [UInt8](repeating: 0, count: 1100))
            ]
        }
        let notes = role == .startup ? [] : [Kind.note]
        for kind in random.some(notes + [Kind.interpreter, Kind.unwinding], 30) {
            loads[random.number(0...last)].pieces += [(kind, random.noise(random.number(1...40)))]
        }
        if random.chance(30) { extras.append(Header(kind: Kind.stack, flags: 6)) }
        if random.chance(20) { extras.append(Header(kind: Kind.load, memorySize: 5000, flags: 6)) }
        if random.chance(20) { extras.append(Header(kind: Kind.headers, offset: 52, size: 32)) }
        if !role.isBoot && random.chance(15) {
            extras.append(Header(kind: Kind.relocations, size: random.number(1...40)))
        }
    }

    /// Tags of a library; the addresses follow when the pieces have theirs.
    private mutating func dynamicSection() -> [UInt8] {
        var tags: [(UInt32, UInt32)] = [(5, 0), (10, 1)]
        if random.chance(85) { tags.append((14, 1)) }
        if random.chance(20) { tags.append((14, 3)) }
        tags = random.shuffled(tags)
        if let name = tags.firstIndex(where: { $0.0 == 14 }) { tags[name].1 = 1 }
        var bytes: [UInt8] = []
        for (tag, value) in tags + [(0, 0)] {
            bytes.append(tag, isBigEndian: isBig)
            bytes.append(value, isBigEndian: isBig)
        }
        return bytes
    }

    // MARK: Where it is

    /// Where the program headers end: one each for segments, for pieces that are not nameless, and more.
    private mutating func countHeaders() {
        let nameless = [Kind.strings, Kind.room]
        let spoken = loads.flatMap(\.pieces).filter { !nameless.contains($0.kind) }
        headersEnd = 52 + 32 * (loads.count + spoken.count + extras.count)
    }

    /// Gives everything its offset and address; tells whether the first segment covers the headers.
    private mutating func place() -> Bool {
        let coversHeaders = alignment > 0x1000 || random.chance(50)
        var offset = coversHeaders ? 0 : headersEnd + 4 * random.number(0...3)
        var address = random.pick([0x10_0000, 0x804_0000, 0x1_0000])
        if role == .library, random.chance(60) { address = 0 }
        for index in loads.indices {
            let unit = max(1, loads[index].alignment)
            let isCongruent = index == 0 || random.chance(85)
            loads[index].offset = offset
            loads[index].address =
                (address + unit - 1) / unit * unit + (isCongruent ? offset % unit : 0)
            let head = index == 0 && coversHeaders ? headersEnd : 0
            loads[index].size =
                head + loads[index].pieces.reduce(0) { $0 + ($1.bytes.count + 3 & ~3) }
                + loads[index].body.count
            loads[index].memorySize = loads[index].size + loads[index].extraMemory
            offset += loads[index].size + random.number(0...9)
            // Room for the headers and for what is copied behind its segment.
            address = loads[index].address + loads[index].memorySize + 0x400
        }
        return coversHeaders
    }

    // MARK: Bytes

    private mutating func emit(_ coversHeaders: Bool) {
        var headers: [Header] = []
        let end = loads.map { $0.offset + $0.size }.max() ?? 0
        bytes = [UInt8](repeating: 0, count: end)
        for (index, load) in loads.enumerated() {
            headers.append(
                Header(
                    kind: Kind.load, offset: load.offset, address: load.address, size: load.size,
                    memorySize: load.memorySize, flags: load.flags, alignment: load.alignment))
            var place = load.offset + (index == 0 && coversHeaders ? headersEnd : 0)
            for piece in load.pieces {
                bytes.set(piece.bytes, at: place)
                let address = load.address + place - load.offset
                note(piece.kind, piece.bytes.count, at: place, address)
                place += piece.bytes.count + 3 & ~3
            }
            bytes.set(load.body, at: place)
        }
        for index in extras.indices where extras[index].kind == Kind.relocations {
            extras[index].offset = bytes.count
            bytes += random.noise(extras[index].size)
        }
        let first = headers.removeFirst()
        emit([first] + mixed(headers, extras))
    }

    /// What a piece of a segment means for the headers, and for the tags that speak of it.
    private mutating func note(_ kind: UInt32, _ size: Int, at offset: Int, _ address: Int) {
        switch kind {
        case Kind.strings: stringsAddress = address
        case Kind.room: break
        default:
            if kind == Kind.dynamic {
                let tags = stride(from: offset, to: offset + size, by: 8)
                for place in tags
                where bytes.integer(UInt32.self, at: place, isBigEndian: isBig) == 5 {
                    bytes.set(UInt32(stringsAddress), at: place + 4, isBigEndian: isBig)
                }
            }
            extras.append(
                Header(
                    kind: kind, offset: offset, address: address, size: size, memorySize: size))
        }
    }

    /// The segments in their order, with the other headers anywhere between them.
    private mutating func mixed(_ loads: [Header], _ others: [Header]) -> [Header] {
        var result = loads
        for header in others {
            result.insert(header, at: random.number(0...result.count))
        }
        return result
    }

    private mutating func emit(_ headers: [Header]) {
        let entry = loads[0].address + random.number(0...loads[0].size - 1)
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, isBig ? 2 : 1, 1]
        head += [UInt8](repeating: 0, count: 9)
        let type: UInt16 =
            switch role {
            case .program: 2
            case .object: 1
            case .library: 3
            case .boot, .startup: random.pick([1, 2])
            }
        for half in [type, machine] { head.append(half, isBigEndian: isBig) }
        let flags = UInt32(truncatingIfNeeded: random.next())
        for word in [1, UInt32(entry), 52, 0, flags] { head.append(word, isBigEndian: isBig) }
        for half in [52, 32, UInt16(headers.count), 40, 0, 0] as [UInt16] {
            head.append(half, isBigEndian: isBig)
        }
        for header in headers { head += header.bytes(isBig) }
        precondition(head.count == headersEnd, "headers that are not counted right")
        if bytes.count < head.count { bytes += [UInt8](repeating: 0, count: head.count) }
        bytes.set(head, at: 0)
    }

    // MARK: Sections

    private mutating func addSections() {
        guard random.chance(70) else { return }
        let named = random.some(
            ["QNX_info", "QNX_usage", "QNX_Phab", "extra", ".comment", "QNX_info2"], 45)
        var names: [UInt8] = [0]
        var headers: [[UInt32]] = [[UInt32](repeating: 0, count: 10)]
        for name in random.shuffled(named) + [".shstrtab"] {
            let contents = name == ".shstrtab" ? [] : random.noise(random.number(0...50))
            headers.append([
                UInt32(names.count), 1, 0, 0, UInt32(bytes.count), UInt32(contents.count), 0, 0, 1,
                0,
            ])
            bytes += contents
            names += Array(name.utf8) + [0]
        }
        let last = headers.count - 1
        headers[last][1] = 3
        headers[last][4] = UInt32(bytes.count)
        headers[last][5] = UInt32(names.count)
        bytes += names
        bytes.pad(to: 4)
        bytes.set(UInt32(bytes.count), at: 32, isBigEndian: isBig)
        bytes.set(UInt16(headers.count), at: 48, isBigEndian: isBig)
        bytes.set(UInt16(last), at: 50, isBigEndian: isBig)
        for word in headers.joined() { bytes.append(word, isBigEndian: isBig) }
    }
}

extension RandomELF.Header {
    fileprivate func bytes(_ isBig: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        let fields = [offset, address, address, size, max(size, memorySize)]
        for word in [kind] + fields.map({ UInt32($0) }) + [flags, UInt32(alignment)] {
            bytes.append(word, isBigEndian: isBig)
        }
        return bytes
    }
}

import Format
import Mkifs
import TestSupport

/// Plans of all that a plan can hold, the same ones for the same seed.
struct RandomPlan {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func plan() -> Plan {
        var root = entry(.directory)
        root.path = []
        root.place = .free
        var plan = Plan(pick(Release.allCases), pick([.little, .big]), root: root)
        plan.encoding = IFS.Encoding(pick(IFS.Compression.allCases), isFast: flag())
        plan.pageSize = number(1 << 30)
        plan.range = range()
        plan.ram = flag() ? range() : nil
        plan.physicalBias = random.next()
        plan.prefix = content()
        plan.notLoaded = random.next()
        plan.bootAddress =
            flag() ? Plan.BootAddress(random.next(), isAboveImage: flag()) : nil
        plan.startup = startup()
        plan.header = header()
        plan.entries = (0..<Int(number(20))).map { _ in anyEntry() }
        let files = plan.entries.filter { $0.kind.isFile }.map(\.inode)
        if let file = files.first {
            plan.entries.append(entry(.hardLink(to: file)))
            plan.entries.append(entry(.symlink(target: name(), library: file)))
        }
        plan.keepsOrder = flag()
        for _ in 0..<number(4) { plan.remains.append(Plan.Remain(at: number(1 << 32), content())) }
        plan.tail = flag() ? content() : .bytes([])
        if flag() { plan.filter = Plan.ImageFilter(name(), arguments: flag() ? name() : []) }
        return plan
    }

    // MARK: Parts

    private mutating func startup() -> Plan.Startup? {
        switch number(3) {
        case 0: nil
        case 1: .program(Plan.Executable(content(), link(), arguments()))
        default: .stored(startupHeader(), content())
        }
    }

    private mutating func startupHeader() -> IFS.StartupHeader {
        var header = IFS.StartupHeader(pick([.little, .big]))
        header.flags1 |= UInt8(number(4)) << 2 | UInt8(number(2)) << 5
        header.flags2 = UInt8(number(256))
        header.machine = UInt16(number(65536))
        header.startupAddress = word()
        header.physicalBias = word()
        header.imageAddress = word()
        header.ramAddress = word()
        header.ramSize = word()
        header.startupSize = 260 + 4 * UInt32(number(1000))
        header.imagefsSize = 1000 + UInt32(number(1000))
        header.storedSize = header.startupSize + header.imagefsSize
        header.imagefsAddress = word()
        header.prebootSize = UInt16(number(65536))
        header.zeroHalf = UInt16(number(65536))
        header.zeroWord = word()
        header.addressOffset = random.next()
        header.info = flag() ? random.noise(192) : [UInt8](repeating: 0, count: 192)
        return header
    }

    private mutating func header() -> Plan.Header {
        var header = Plan.Header()
        guard flag() else { return header }
        header.mountpoint = flag() ? name() : []
        header.chain = word()
        header.flags = flag() ? UInt8(number(32)) : nil
        header.bootInodes = flag() ? (0..<number(5)).map { _ in word() } : nil
        header.scriptInode = flag() ? word() : nil
        header.spare = flag() ? (0..<number(11)).map { _ in word() } : nil
        header.mountFlags = word()
        header.directoryOffset = flag() ? word() : nil
        header.directoryEnd = flag() ? word() : nil
        header.imageSize = flag() ? word() : nil
        return header
    }

    private mutating func anyEntry() -> Plan.Entry {
        switch number(6) {
        case 0: return entry(.file(content()))
        case 1:
            var rules = ELFLayout.Rules()
            rules.usesCodeInPlace = flag()
            rules.usesDataInPlace = flag()
            rules.keepsRelocations = flag()
            rules.keptSections = names()
            var program = Plan.Program(content(), rules)
            program.link = link()
            program.arguments = flag() ? arguments() : nil
            return entry(.program(program))
        case 2:
            var extent = entry(.extent(byteCount: word()))
            extent.place = .fixed(number(1 << 32))
            return extent
        case 3: return entry(.directory)
        case 4: return entry(.symlink(target: name(), library: nil))
        default: return entry(.device(device: word(), rawDevice: word()))
        }
    }

    private mutating func entry(_ kind: Plan.Kind) -> Plan.Entry {
        let type: UInt32 =
            switch kind {
            case .file, .program, .extent, .hardLink: 0o100000
            case .directory: 0o40000
            case .symlink: 0o120000
            case .device: pick([0o10000, 0o20000, 0o50000, 0o60000, 0o140000])
            }
        var entry = Plan.Entry(
            name(), kind, mode: type | UInt32(number(0o10000)), inode: word(), user: word(),
            group: word(), modified: word())
        entry.place = place()
        entry.modeRules = Plan.ModeRules(rawValue: UInt8(number(4)))
        entry.role = pick([.none, .bootstrap, .script])
        entry.extendedAttributes = UInt16(number(65536))
        entry.padding = flag() ? random.noise(Int(number(12))) : nil
        return entry
    }

    private mutating func place() -> Plan.Location {
        switch number(4) {
        case 0: .free
        case 1: .fixed(number(1 << 32))
        case 2: .inOrder(unit: random.next())
        default: .inOrder(unit: random.next(), group: random.next())
        }
    }

    private mutating func content() -> Content {
        switch number(5) {
        case 0: .bytes(random.noise(Int(number(200))))
        case 1: .bytes(name())
        case 2: .bytes(Array("line\twith \"quotes\"\nand \\ an end".utf8) + name())
        case 3: .file(HostFile(path(), byteCount: random.next()))
        default: .filtered(HostFile(path(), byteCount: number(1000)), command: name())
        }
    }

    private mutating func link() -> Plan.Link? {
        guard flag() else { return nil }
        var link = Plan.Link(flag() ? name() : nil)
        link.modules = names()
        link.kept = flag() ? path() : nil
        return link
    }

    private mutating func arguments() -> IFS.BootArguments {
        IFS.BootArguments(arguments: names(), environment: names())
    }

    private mutating func range() -> AddressRange {
        var range = AddressRange()
        range.start = flag() ? random.next() : nil
        range.end = flag() ? random.next() : nil
        range.maximumSize = flag() ? random.next() : nil
        range.totalSize = flag() ? random.next() : nil
        range.alignment = flag() ? random.next() : nil
        return range
    }

    // MARK: Values

    /// Names that a text can stumble over.
    private static let odd = [
        "", " ", "#", "a=b", "PATH=/x", "\"", "\\", "\n\t\r", "ümlaut", "\u{85}", "a b", "x#y", "=",
        "é=\u{7f}",
    ]

    private mutating func name() -> [UInt8] {
        switch number(3) {
        case 0: Array(pick(Self.odd).utf8)
        case 1: (0..<number(20)).map { _ in UInt8(1 + number(255)) }
        default: Array("usr/lib/lib\(number(100)).so".utf8)
        }
    }

    private mutating func path() -> [UInt8] { [UInt8(ascii: "/")] + name() }

    private mutating func names() -> [[UInt8]] { (0..<number(4)).map { _ in name() } }

    private mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }
    private mutating func number(_ limit: UInt64) -> UInt64 { random.next() % limit }
    private mutating func flag() -> Bool { random.next() & 1 == 0 }
    private mutating func pick<Element>(_ list: [Element]) -> Element {
        list[Int(number(UInt64(list.count)))]
    }
}

extension Plan.Kind {
    fileprivate var isFile: Bool {
        switch self {
        case .file, .program, .extent: true
        case .hardLink, .directory, .symlink, .device: false
        }
    }
}

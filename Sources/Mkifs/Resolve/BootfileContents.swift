internal import Format

/// A `.boot` file: attributes of the image, and the code that stands before it.
///
/// ```
/// [attribute...]boot<code>
/// ```
///
/// Both parts may be absent. Of an ELF file it is the contents of its first executable section that
/// count. Source: the vendor's documents; the golden images have both kinds.
struct BootfileContents: Equatable, Sendable {
    /// `attr=`: attributes as a buildfile has them, in order, behind all others.
    private(set) var attributes: [RawAttribute] = []
    /// `default_image=`.
    private(set) var image = AddressRange()
    /// `default_ram=`; nil for an image in RAM.
    private(set) var ram: AddressRange?
    /// `filter=`.
    private(set) var filter: [UInt8]?
    /// `len=`: the least size of the code, in bytes.
    private(set) var leastSize: UInt64 = 0
    /// `notloaded=`.
    private(set) var notLoaded: UInt64 = 0
    /// `pagesize=`.
    private(set) var pageSize: UInt64 = 4096
    /// `pagesizes=`.
    private(set) var pageSizes: [UInt64]?
    /// `+big_pages`.
    private(set) var bigPages = false
    /// `paddr_bias=`, modulo 2^64.
    private(set) var physicalBias: UInt64 = 0
    /// `vboot=`.
    private(set) var bootAddress: UInt64?
    /// `+rsvd_vaddr`.
    private(set) var isAboveImage = false
    /// Where the file begins.
    let mark: SourceMark
    /// The code.
    private(set) var code: [UInt8] = []

    /// How large a prefix may be: its size has 16 bits in the startup header.
    static let codeLimit = 0xfffc

    /// Reads a bootfile; errors in it are added to `diagnostics`.
    init(
        parsing source: SourceText, _ lookup: @escaping VariableLookup,
        _ diagnostics: inout Diagnostics
    ) {
        mark = source.mark(at: 0)
        var lexer = Lexer(source, diagnostics)
        do throws(Diagnostic) {
            if lexer.next == .openBracket {
                let start = lexer.mark
                lexer.skip()
                for word in try lexer.words(.attributes, opening: start) {
                    do throws(Diagnostic) {
                        try set(try RawAttribute(word), lookup, source)
                    } catch {
                        lexer.diagnostics.add(error)
                    }
                }
            }
            try readCode(&lexer)
        } catch {
            lexer.diagnostics.add(error)
        }
        diagnostics = lexer.diagnostics
    }

    /// The prefix as it is written: padded to `len=` and to whole words.
    var prefix: [UInt8] {
        let size = max(UInt64(code.count), leastSize).rounded(up: 4)
        return code + [UInt8](repeating: 0, count: Int(clamping: size) - code.count)
    }

    private mutating func readCode(_ lexer: inout Lexer) throws(Diagnostic) {
        lexer.skip { $0.isSpace }
        let rest = lexer.source.bytes[min(lexer.offset, lexer.source.bytes.count)...]
        guard !rest.isEmpty else { return }
        guard let sign = rest.firstRange(of: Array("boot".utf8)) else {
            throw Diagnostic(
                at: lexer.mark, "cannot find the boot signature",
                hint: "the letters 'boot' stand before the code")
        }
        code = Array(rest[sign.upperBound...])
        guard prefix.count <= Self.codeLimit else {
            throw Diagnostic(
                at: lexer.mark,
                "found \(prefix.count) bytes of code, expected \(Self.codeLimit) at most")
        }
    }

    // MARK: Attributes

    private mutating func set(
        _ attribute: RawAttribute, _ lookup: @escaping VariableLookup, _ source: SourceText
    ) throws(Diagnostic) {
        switch try attribute.settled(lookup).form {
        case .flag(let isOn, let name):
            let text = String(decoding: try name.expanded(lookup), as: UTF8.self)
            switch text {
            case "rsvd_vaddr": isAboveImage = isOn
            case "big_pages": bigPages = isOn
            default: throw Self.unknown(text, sign: isOn ? "+" : "-", attribute.mark)
            }
        case .setting(let name, let value):
            let text = try value.expanded(lookup)
            let name = String(decoding: name, as: UTF8.self)
            let isKnown: Bool
            do throws(ValueFault) {
                isKnown = try set(name, to: text, attribute)
            } catch {
                throw Diagnostic(at: value.mark, "\(name): \(error)", hint: error.hint)
            }
            guard isKnown else { throw Self.unknown(name, sign: "", attribute.mark) }
        case .deferred: return
        }
    }

    private mutating func set(
        _ name: String, to text: [UInt8], _ attribute: RawAttribute
    ) throws(ValueFault) -> Bool {
        switch name {
        case "attr": try add(text, at: attribute.mark)
        case "default_image": image = try AddressRange(parsing: text)
        case "default_ram": ram = try AddressRange(parsing: text)
        case "filter": filter = text
        case "len": leastSize = try Number.parse(text, through: UInt64(Self.codeLimit))
        case "notloaded": notLoaded = try Number.parse(text, through: UInt64(Self.codeLimit))
        case "pagesize": pageSize = try Number.parse(text, through: 1 << 30)
        case "pagesizes": pageSizes = try PageSizes.parse(text)
        case "paddr_bias":
            let isNegative = text.first == UInt8(ascii: "-")
            let size = try Number.parse(isNegative ? Array(text.dropFirst()) : text)
            physicalBias = isNegative ? 0 &- size : size
        case "vboot": bootAddress = try Number.parse(text)
        default: return false
        }
        return true
    }

    private mutating func add(_ text: [UInt8], at mark: SourceMark) throws(ValueFault) {
        do throws(Diagnostic) {
            attributes.append(try RawAttribute(Word(literal: text, at: mark)))
        } catch {
            throw ValueFault(text, "an attribute of a buildfile")
        }
    }

    /// All that it knows, flags without their sign.
    static var names: [String] { settings + flags }
    private static let flags = ["rsvd_vaddr", "big_pages"]
    private static let settings = [
        "attr", "default_image", "default_ram", "filter", "len", "notloaded", "pagesize",
        "pagesizes", "paddr_bias", "vboot",
    ]

    private static func unknown(
        _ name: String, sign: String, _ mark: SourceMark
    ) -> Diagnostic {
        let near = nearest(to: String(name.prefix(32)), among: sign.isEmpty ? settings : flags)
        return Diagnostic(
            at: mark, "unknown bootfile attribute \(quoted(Array((sign + name).utf8)))",
            hint: near.map { "did you mean '\(sign)\($0)'?" })
    }
}

internal import Format
internal import FuzzSupport
internal import Mkifs

/// A buildfile, or what one names, on its way to an image.
///
/// The low three bits of the first byte say what the rest is: 0 a buildfile; 1 a bootfile; 2 a patch
/// file; 3 the value of `linker=`; 4 an ELF file; 5 a host's script; 6 what a script section's command
/// line is made of; 7 the text of a plan. The next three bits are the release. The other two: whether
/// hard links are kept, and whether it is but a check.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let switches = input.byte()
    let rest = input.rest
    let releases = Release.allCases
    var options = BuildOptions(releases[Int(switches >> 3 & 7) % releases.count])
    options.environment = [Array("MKIFS_PATH".utf8): Array("h".utf8)]
    options.times = .zero
    options.isFast = true
    options.keepsHardLinks = switches & 0x40 != 0
    options.isCheck = switches & 0x80 != 0
    switch switches & 7 {
    case 1:
        Builds.build(bytes("[virtual=x86,b -c] boot={\nprogram -v\nprogram\n}\n"), options) {
            name in
            name == bytes("b.boot") ? rest : file(name)
        }
    case 2:
        let text = "a/b={\nx\n}\n[type=dir] a/c\n[type=link] a/d=e\n/usr/bin/x.so=text\n"
        Builds.build(bytes(text), patches: rest, options, file)
    case 3:
        options.environment[bytes("L")] = rest
        Builds.build(bytes("[linker=${L}] object\nlib.so\n"), options, file)
    case 4: Builds.build(bytes("[keepsection=a,b code=copy] e\ne\n"), options) { _ in rest }
    case 5: Builds.build(bytes("[+script] s=s\n"), options) { _ in rest }
    case 6:
        let words = "A=${W} ${W} -v ${W} &\ndisplay_msg ${W}\nwaitfor ${W} 5\n[argv0=${W}] x\n"
        options.environment[bytes("W")] = rest
        Builds.build(bytes("[+script] s={\n\(words.replacingBraces)}\n"), options, file)
    case 7: Builds.build(plan: rest)
    default: Builds.build(rest, options, file)
    }
    return 0
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension String {
    /// Inside an inline file a `}` has a backslash before it.
    fileprivate var replacingBraces: String {
        String(flatMap { $0 == "}" ? ["\\", $0] : [$0] })
    }
}

private let program = MadeUp.program(.executable, .little)
private let bigProgram = MadeUp.program(.executable, .big)
private let library = MadeUp.program(.shared, .little)
private let object = MadeUp.program(.relocatable, .little)
private let bootfile = bytes("[pagesize=4k attr=\"?+bigendian\" vboot=0xfe000000]boot<code>")

/// A file that a buildfile finds by its name.
@Sendable
private func file(_ name: [UInt8]) -> [UInt8]? {
    let text = String(decoding: name, as: UTF8.self)
    switch text.utf8.first {
    case UInt8(ascii: "m")?: return nil
    case UInt8(ascii: "p")?, UInt8(ascii: "d")?: return program
    case UInt8(ascii: "s")?: return text == "s" ? bytes("display_msg hello\n") : program
    case UInt8(ascii: "b")?: return text.hasSuffix(".boot") ? bootfile : bigProgram
    case UInt8(ascii: "o")?: return object
    case UInt8(ascii: "i")?: return bytes("x={\n1\n}\n")
    default:
        if text.hasSuffix(".so") { return library }
        return text.hasSuffix(".boot") ? bootfile : Array(("text of " + text).utf8)
    }
}

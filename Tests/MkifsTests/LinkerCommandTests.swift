import Format
import Foundation
import TestSupport
import Testing

@testable import Mkifs

/// The codes in a linker's command.
struct LinkerCommandTests {
    static let request = LinkRequest(
        input: Array("/boot/sys/procnto".utf8), output: Array("/tmp/x y/linked".utf8),
        headerAddress: 0xfe00_2000, textAddress: 0xfe00_3000, machine: 40, isBigEndian: false,
        kind: .bootstrap)

    private func command(
        _ line: String, _ change: (inout LinkRequest) -> Void = { _ in }
    ) throws -> String {
        var request = Self.request
        change(&request)
        return text(try request.command(of: LinkerSpec(parsing: Array(line.utf8))))
    }

    private func fault(_ line: String) -> String? {
        do {
            return "no fault: \(try command(line))"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        arguments: [
            ("ld 0x%h 0x%t 0x%d", "ld 0xfe002000 0xfe003000 0x0"),
            ("ld -o%o %i", #"ld -o"/tmp/x y/linked" "/boot/sys/procnto""#),
            ("ld -L%^i %^o", #"ld -L"/boot/sys" "/tmp/x y""#),
            ("ld", "ld"),
        ])
    func aCodeIsReplaced(_ line: String, _ expected: String) throws {
        #expect(try command(line) == expected)
    }

    @Test(
        arguments: [
            ("m==40", true), ("m!=40", false), ("m<41", true), ("m<40", false), ("m<=40", true),
            ("m>39", true), ("m>40", false), ("m>=40", true), ("m>=41", false), ("m==0x28", true),
            ("e==0", true), ("e==1", false), ("d!=0", false), ("h==0xfe002000", true),
            ("f==1", true), ("f==0", false), ("v==1", true), ("V==1", true), ("a==0", true),
            (" m == 40 ", true), ("m==1k", false), ("h<18446744073709551615", true),
        ])
    func aConditionKeepsItsTextWhenItHolds(_ condition: String, _ holds: Bool) throws {
        #expect(try command("ld%(\(condition), -x%) y") == (holds ? "ld -x y" : "ld y"))
    }

    @Test(
        arguments: [
            (LinkRequest.Kind.startup, true, "f0v0V1"), (.bootstrap, true, "f1v1V1"),
            (.other, true, "f2v1V1"), (.startup, false, "f0v0V0"), (.bootstrap, false, "f1v0V0"),
        ])
    func aStartupIsNeverVirtual(
        _ kind: LinkRequest.Kind, _ isVirtual: Bool, _ expected: String
    ) throws {
        let line =
            "%(f==0,f0%)%(f==1,f1%)%(f==2,f2%)%(v==0,v0%)%(v==1,v1%)%(V==0,V0%)%(V==1,V1%)"
        #expect(
            try command(line) {
                $0.kind = kind
                $0.isVirtualSystem = isVirtual
            } == expected)
    }

    @Test func conditionsNest() throws {
        let line = "gcc_nto%(m==40,arm%(e==0,le%(a==7,-v7%)%)%(e!=0,be%)%)%(m==3,x86%) %i"
        let input = #" "/boot/sys/procnto""#
        #expect(try command(line) == "gcc_ntoarmle" + input)
        #expect(try command(line) { $0.architecture = 7 } == "gcc_ntoarmle-v7" + input)
        #expect(try command(line) { $0.isBigEndian = true } == "gcc_ntoarmbe" + input)
        #expect(try command(line) { $0.machine = 3 } == "gcc_ntox86" + input)
    }

    @Test func aLoopIsRepeatedForEachModule() throws {
        let line = "ld %i%[M -L%^i -uinit_%n -lmod_%^n%(e==0, -v%)%] end"
        #expect(try command(line) == #"ld "/boot/sys/procnto" end"#)
        #expect(
            try command(line) { $0.modules = [Array("aps".utf8), Array("qvm-x".utf8)] }
                == #"ld "/boot/sys/procnto" -L"/boot/sys" -uinit_aps -lmod_aps -v"#
                + #" -L"/boot/sys" -uinit_qvm-x -lmod_qvm -v end"#)
    }

    /// The linkers of stock x86 boot files, of real buildfiles and of the golden cases, and one in
    /// the shape of the vendor's default.
    @Test(
        arguments: [
            (
                "(3,6;2;0x4001)ldrel -s!* -p%(f==0, -l -t 0x%t%)%(f!=0, -x -b 0x%h%)"
                    + "%(d!=0, -d 0x%d%) %i %o",
                "ldrel -s!* -p -x -b 0xfe002000 %I %O"
            ),
            (
                "qcc -bootstrap -nostdlib -Vgcc_nto%(m==3,x86%)%(m==40,arm%(e==0,le%)%(e!=0,be%)%)"
                    + "%(h!=0, -Wl,-Ttext -Wl,0x%t%)%(d!=0, -Wl,-Tdata -Wl,0x%d%) -o%o %i"
                    + "%[M -L%^i -Wl,-uinit_%n -lmod_%n%]",
                "qcc -bootstrap -nostdlib -Vgcc_ntoarmle -Wl,-Ttext -Wl,0xfe003000 -o%O %I"
            ),
            (
                "ntox86-ld -T/lib/nto.link %(h!=0, -Ttext 0x%t%)%(d!=0, -Tdata 0x%d%) -o%o %i "
                    + "%[M -L%^i -uinit_%n -lmod_%n%]",
                "ntox86-ld -T/lib/nto.link  -Ttext 0xfe003000 -o%O %I "
            ),
            (
                "(40;1,2;)relocate 0x%h 0x%t%(e==1, BIG%)%(m==40,%) 0x%d %o %i",
                "relocate 0xfe002000 0xfe003000 0x0 %O %I"
            ),
        ])
    func realCommandsCome(_ line: String, _ expected: String) throws {
        let expected = expected.replacingOccurrences(of: "%I", with: #""/boot/sys/procnto""#)
            .replacingOccurrences(of: "%O", with: #""/tmp/x y/linked""#)
        #expect(try command(line) == expected)
    }

    @Test(
        arguments: [
            ("ld %q", 4, "'%q'", "a code: %h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]"),
            ("ld %", 4, "'%'", "a code: %h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]"),
            ("ld %^h", 4, "'%^'", "a code: %h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]"),
            ("ld %n", 4, "'%n'", "it between '%[M' and '%]' only"),
            ("%[M%n%] %^n", 9, "'%^n'", "it between '%[M' and '%]' only"),
            ("ld %(m==3, x", 4, "'%(' without its end", "'%)' behind it"),
            ("%(m==40,%(m==3,x%)", 1, "'%(' without its end", "'%)' behind it"),
            ("ld %[M %n", 4, "'%[' without its end", "'%]' behind it"),
            ("ld %)", 4, "'%)'", "nothing to close"),
            ("ld %(m==3,x%]", 12, "'%]'", "nothing to close"),
            ("%[M%[M%]%]", 4, "'%[M' in another", "one loop at a time"),
            ("%[N%]", 1, "'%[N'", "'%[M'"),
            ("%(x==3,y%)", 3, "'x==3,y%)'", "a variable: m e d h f v V a"),
            ("%(", 3, "the end", "a variable: m e d h f v V a"),
            ("%(m=3,y%)", 4, "'=3,y%)'", "== != < <= > or >="),
            ("%(m==,y%)", 6, "',y%)'", "a number and a comma"),
            ("%(m==3%)", 6, "'3%)'", "a number and a comma"),
            ("%(m==3 4,y%)", 6, "'3 4,y%)'", "a number and a comma"),
            // A text that is left out is checked as well.
            ("%(m==3,%q%)", 8, "'%q'", "a code: %h %t %d %o %i %^o %^i %n %^n %(...%) %[M...%]"),
        ])
    func aFaultNamesTheCommandAndThePlace(
        _ line: String, _ byte: Int, _ found: String, _ expected: String
    ) {
        #expect(
            fault(line)
                == "linker command '\(line)' at byte \(byte): found \(found), expected \(expected)")
    }

    @Test func endlessNestingIsAFault() {
        let line = String(repeating: "%(m==40,", count: 100_000)
        #expect(fault(line)?.hasSuffix("found a condition in 64 others, expected fewer") == true)
    }

    @Test func anyTextIsASpecOrAFault() {
        let parts = [
            "%", "(", ")", "[", "]", "M", "^", "m", "n", "o", "==", "<", "3", ",", " ", ";",
        ]
        var random = SplitMix64(seed: 7)
        var count = 0
        for _ in 0..<20_000 {
            let line = (0..<12).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
            if (try? command(line)) != nil { count += 1 }
        }
        #expect((1..<20_000).contains(count))
    }

    @Test(
        arguments: [
            "plain", "two words", "a\"b", "$(touch x)", "`id`", #"back\slash"#, #"end\"#, "!x",
            "new\nline", "-o", "*", "~", "'", "a;b&c|d>e", "\u{e4}", "$HOME",
        ])
    func aPathReachesTheLinkerAsItIs(_ name: String) throws {
        for path in [name, "dir/" + name] {
            let line = try command("printf %i") { $0.input = Array(path.utf8) }
            let written = try Shell.output(
                of: ShellCommand(Array("printf '%s' \(line.dropFirst(7))".utf8), environment: []),
                input: STDIN_FILENO)
            #expect(text(written) == (path.hasPrefix("-") ? "./" + path : path))
        }
    }

    @Test(arguments: [("a", "."), ("/a", "/"), ("b/a", "b"), ("/b/c/a", "/b/c"), ("b//a", "b/")])
    func aDirectoryIsWhatComesBeforeTheName(_ path: String, _ directory: String) throws {
        #expect(try command("x %^i") { $0.input = Array(path.utf8) } == "x \"\(directory)\"")
    }

    @Test func aModuleCannotAddToTheCommand() throws {
        #expect(
            try command("ld%[M -l%n%]") { $0.modules = [Array("a; touch $x".utf8)] }
                == #"ld -l"a; touch \$x""#)
    }

    /// The stand-in for a linker that the golden cases were made with.
    @Test(
        .enabled(
            if: LinkingHost.relocate != nil && LinkingHost.has("python3"),
            "no relocate, or no python3"))
    func theGoldenLinkerLinks() throws {
        let scratch = try ScratchDirectory(environment: LinkingHost.environment)
        let relocate = try #require(LinkingHost.relocate)
        let spec = try LinkerSpec(
            parsing: Array("(40;1,2;)python3 '\(relocate)' 0x%h 0x%t 0x%d %o %i".utf8))
        let input = Fixtures.folder.appendingPathComponent("inputs/armle/boot/sys/procnto")
        var request = Self.request
        request.input = Array(input.path.utf8)
        request.output = try scratch.file()
        #expect(spec.matches(try ELFFile(MemorySource(Fixtures.bytes(input)))))
        try Shell.perform(
            ShellCommand(request.command(of: spec), environment: LinkingHost.environment))
        let linked = try LinkingHost.elf(request.output)
        #expect(linked.header.segments.first?.virtualAddress == 0xfe00_2000)
    }
}

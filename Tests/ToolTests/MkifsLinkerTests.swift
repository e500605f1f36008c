import Foundation
import TestSupport
import Testing

/// Linkers that a buildfile gives, F187-F190, and what is kept of what they make.
struct MkifsLinkerTests {
    /// The words that a linker of these codes is given, a line for each file: the startup program
    /// first. Every file is copied as it is.
    private func words(
        _ codes: String, _ more: String = "", image: String = "[image=4m]\n",
        big: Bool = false, procnto: String = "procnto", boot: String = ""
    ) throws -> [String] {
        let shop = try Workshop()
        // With an address of its own every boot executable fits where it is.
        try shop.writeBootFiles("[default_image=4m\(boot)]")
        if big {
            for (name, address) in [("startup", 0x40_0100), ("procnto", 0x40_3000)] {
                try shop.write(
                    HostProgram {
                        ($0.machine, $0.isBigEndian, $0.entry) = (20, true, UInt64(address))
                        $0.loads = [.init(address: UInt64(address), bytes: [1, 2, 3, 4])]
                    }, to: name)
            }
        }
        try shop.write(.ordinary(), to: "procnto2")
        try shop.write(.library("libdemo.so.3"), to: "libdemo.so")
        try shop.write("cp \"$1\" \"$2\"; shift 2; echo \"$*\" >> log", to: "link")
        let text = Workshop.boot(linker: "sh link %i %o \(codes)")
            .replacingOccurrences(of: "(;2;)", with: "(;2,3;)")
            .replacingOccurrences(of: "    procnto", with: "    \(procnto)")
        _ = try shop.image(image + text + more)
        return try shop.text("log").split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast().map(String.init)
    }

    @Test func addressesAreHexadecimalWithoutASign() throws {
        // The startup has no header of its own in memory; others have a page of headers.
        #expect(
            try words("%h %t %d", "libdemo.so\n")
                == ["400100 400100 0", "402000 403000 0", "405000 406000 0"])
    }

    @Test func dataOfASplitImageHasAnAddressInItsRAM() throws {
        let shop = try Workshop()
        try shop.writeBootFiles(runAddress: 0x8000_0100, procnto: 0x1000_3000)
        try shop.write("cp \"$2\" \"$3\"; echo \"$1\" >> log", to: "link")
        _ = try shop.image(
            "[image=0x10000000 ram=0x80000000]\n" + Workshop.boot(linker: "sh link %d %i %o"))
        #expect(try shop.text("log") == "0\n80001000\n")
    }

    @Test func namesOfFilesAreOneWordEach() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(.ordinary(at: 0x40_3000), to: "dir x/$odd name")
        try shop.write("echo \"$# $2\" >> log; cp \"$2\" \"$3\"; test -d \"$4\"", to: "link")
        _ = try shop.image(
            Workshop.boot(linker: "sh link - %i %o %^o").replacingOccurrences(
                of: "    procnto", with: #"    "dir x/$odd name""#))
        #expect(try shop.text("log") == "4 ./startup\n4 dir x/$odd name\n")
    }

    // MARK: Conditions

    @Test(arguments: [
        ("%(f==0,start%)%(f==1,boot%)%(f==2,other%)", ["start", "boot", "other"]),
        ("%(m==3,x86%)%(m!=3,else%)", ["x86", "x86", "x86"]),
        ("%(e==0,little%)%(e==1,big%)", ["little", "little", "little"]),
        ("%(h<0x402000,low%)%(h>=0x402000,high%)", ["low", "high", "high"]),
        ("%(d==0,behind%)%(d>0,apart%)", ["behind", "behind", "behind"]),
        ("%(v==1,virtual%)%(v==0,real%)", ["real", "virtual", "virtual"]),
        ("%(V==1,virtual%)%(V==0,real%)", ["virtual", "virtual", "virtual"]),
        ("%(f<=1,first%)%(f>1,last%)", ["first", "first", "last"]),
        ("%(m==3,a%(f==0,b%(h>0,c%)%)d%)", ["abcd", "ad", "ad"]),
        ("%(m==40,a%(f==0,b%)%)%(f!=0,%)x", ["x", "x", "x"]),
    ])
    func conditionsCompareVariables(_ codes: String, _ expected: [String]) throws {
        #expect(try words(codes, "libdemo.so\n") == expected)
    }

    @Test func aBigEndianFileIsTold() throws {
        #expect(try words("%(e==1,big%) %(m==20,ppc%)", big: true) == ["big ppc", "big ppc"])
    }

    // MARK: Modules

    @Test func theModuleClauseIsRepeatedForEachModule() throws {
        let found = try words(
            "%[M -L%^i -u%n -l%^n%] end", procnto: "[module=aps module=qvm-x] procnto")
        #expect(found == ["end", "-L. -uaps -laps -L. -uqvm-x -lqvm end"])
    }

    @Test func modulesAreThoseOfTheirLine() throws {
        let found = try words(
            "%[M %n%]", procnto: "[module=aps] procnto\n    [module=net] procnto2",
            boot: " vboot=0xfe000000")
        #expect(found == ["", "aps", "net"])
    }

    // MARK: Kept files

    @Test(
        arguments: [
            ([], "procnto.sym"), (["-a", "v2"], "procnto.v2.sym"),
            (["-o", "out"], "out/procnto.sym"),
            (["-a", "v2", "-o", "out"], "out/procnto.v2.sym"),
        ] as [([String], String)])
    func aLinkedFileIsKeptUnderItsName(_ options: [String], _ name: String) throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write("", to: "out/here")
        let before = try Set(shop.folder.names())
        let text = Workshop.boot(linker: "cat %i > %o; printf LINKED >> %o")
            .replacingOccurrences(of: "    procnto", with: "    [+keeplinked] procnto")
        _ = try shop.image(text, options)
        let expected = try shop.folder.bytes("procnto") + Array("LINKED".utf8)
        #expect(difference(try shop.folder.bytes(name), expected) == nil)
        let new = Set(try shop.folder.names()).subtracting(before)
        #expect(new == Set(["b.build", "b.ifs"] + (name.contains("/") ? [] : [name])))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("out")).count
                == (name.contains("/") ? 2 : 1))
    }

    @Test func whatIsNotKeptIsGone() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        _ = try shop.image(Workshop.boot())
        #expect(
            try shop.folder.names() == ["b.build", "b.ifs", "kit.boot", "procnto", "startup"])
    }

    @Test func aFolderForKeptFilesThatIsNotThereIsNamed() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            Workshop.boot().replacingOccurrences(
                of: "    procnto", with: "    [+keeplinked] procnto"),
            ["-o", "none"],
            saying: "mkifs: none/procnto.sym: cannot make: No such file or directory")
    }

    // MARK: How it says no

    @Test func aLinkerThatFailsLeavesNothing() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            Workshop.boot(linker: "exit 3"),
            saying:
                "b.build:4:5: error: ./startup: command 'exit 3': found exit status 3, expected "
                + "exit status 0", "        startup", "        ^", "mkifs: 1 error")
    }

    @Test func aLinkerThatMakesNothingIsRefused() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.expectRefusal(
            Workshop.boot(linker: "true"),
            saying: "b.build:4:5: error: ./startup: command 'true': found no ELF file behind it, "
                + "expected a program", "        startup", "        ^", "mkifs: 1 error")
    }

    @Test func whatALinkerPrintsIsNotInTheImage() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(Workshop.boot(linker: "echo words; cp %i %o"), to: "b.build")
        let outcome = try shop.run(["b.build"])
        #expect(outcome.end == .exit(0) && outcome.complaints == ["words", "words"])
        #expect(outcome.output.starts(with: [0xeb, 0x7e, 0xff, 0]))
    }

    @Test func codesThatAreNoneAreRefusedBeforeAnythingRuns() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        let fault =
            "linker command 'touch ran; ld %q' at byte 15: found '%q', expected a code: %h %t "
            + "%d %o %i %^o %^i %n %^n %(...%) %[M...%]"
        try shop.expectRefusal(
            Workshop.boot(linker: "touch ran; ld %q"),
            saying: "b.build:4:5: error: ./startup: \(fault)", "        startup", "        ^",
            "b.build:5:5: error: ./procnto: \(fault)", "        procnto", "        ^",
            "mkifs: 2 errors")
    }

    @Test func aLinkerWithoutItsParenthesisIsRefusedAtItsPlace() throws {
        try Workshop().expectRefusal(
            "[linker=\"(40;1,2\"]\n[linker=\"(x;;)ld\"]\n",
            saying:
                "b.build:1:9: error: linker: found '(40;1,2', expected ')' behind the machines, "
                + "types and segments", "    [linker=\"(40;1,2\"]", "            ^",
            "b.build:2:9: error: linker: found 'x', expected a number", "    [linker=\"(x;;)ld\"]",
            "            ^", "mkifs: 2 errors")
    }

    @Test func aBootFileThatNoLinkerIsForIsNamedWithItsLine() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        let rest =
            "found an ET_EXEC file for EM_386, expected an ET_REL file, or a 'linker=' that is "
            + "for this one"
        try shop.expectRefusal(
            Workshop.boot().replacingOccurrences(of: "(;2;)", with: "(40;2;)"),
            saying: "b.build:4:5: error: './startup': \(rest)", "        startup", "        ^",
            "b.build:5:5: error: './procnto': \(rest)", "        procnto", "        ^",
            "mkifs: 2 errors")
    }

    @Test func withoutALinkerInThePathARelocatableFileSaysWhatToInstall() throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try shop.write(HostProgram { ($0.type, $0.machine) = (1, 40) }, to: "startup")
        try shop.write("PATH=none exec \"$@\"", to: "bare")
        try shop.write(Workshop.boot(), to: "b.build")
        var child = Child(["sh", "bare", Tool.mkifs, "b.build", "b.ifs"])
        child.folder = shop.folder.url
        child.environment["TMPDIR"] = shop.temporary.url.path
        let outcome = try child.run()
        #expect(outcome.end == .exit(1))
        #expect(
            outcome.complaints.first?.hasPrefix(
                "b.build:4:5: error: ./startup: no linker in PATH for ARM, little endian; looked for "
            )
                == true)
        #expect(
            outcome.complaints.first?.hasSuffix("install lld or give linker=") == true)
    }
}

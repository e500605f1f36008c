import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// A plan's text: out and in again, and what is wrong with one.
struct PlanTextTests {
    @Test(arguments: UInt64(0)..<200)
    func aRandomPlanComesBackFromItsText(seed: UInt64) throws {
        var random = RandomPlan(seed: seed)
        let first = random.plan()
        let text = try first.text()
        let second = try plan(text, checkingFiles: false)
        #expect(String(reflecting: second) == String(reflecting: first))
    }

    @Test func commentsBlanksAndOrderDoNotMatter() throws {
        let text = """
            # a comment
              ifsfs-plan\t1 # version

            file a inode=2 mode=0644 text="a # b" # rest\r
            root inode=1 mode=0755
            image order=big release=6.6
            """
        let plan = try plan(Array(text.utf8))
        #expect(plan.order == .big)
        guard case .file(.bytes(let bytes)) = plan.entries[0].kind else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(bytes == Array("a # b".utf8))
    }

    @Test func textAndHexLinesAddUp() throws {
        let plan = try plan(
            Self.text("file a mode=0644 inode=2 text=one\n text \" two\"\n hex 0aff\n\n text x"))
        guard case .file(.bytes(let bytes)) = plan.entries[0].kind else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(bytes == Array("one two\n".utf8) + [0xff] + Array("x".utf8))
    }

    @Test func aFileWithoutSizeHasTheHosts() throws {
        let folder = try PartsFolder()
        try Data([1, 2, 3]).write(to: folder.url.appendingPathComponent("part"))
        let plan = try folder.plan(Self.text("tail from=part"))
        guard case .file(let file) = plan.tail else { throw CocoaError(.featureUnsupported) }
        #expect(file == HostFile(Array((folder.url.path + "/part").utf8), byteCount: 3))
    }

    // MARK: Faults

    /// A whole plan with these lines in it.
    static func text(_ lines: String) -> [UInt8] {
        let head = "ifsfs-plan 1\nimage release=7.0 order=little\nroot mode=0755 inode=1\n"
        return Array((head + lines).utf8)
    }

    static func messages(_ text: [UInt8]) -> [String] {
        var diagnostics = Diagnostics()
        let plan = Plan(
            parsing: SourceText(name: "p", bytes: text), relativeTo: Array("/nowhere".utf8),
            &diagnostics)
        #expect((plan == nil) == diagnostics.hasErrors)
        return diagnostics.kept.map(\.description)
    }

    static let broken: [(text: String, message: String)] = [
        ("fiel a", "p:4:1: error: unknown statement 'fiel'; did you mean 'file'?"),
        ("a=b", "p:4:1: error: a line begins with the name of a statement"),
        ("\"file\" a", "p:4:1: error: a line begins with the name of a statement"),
        (
            "directory d mode=0755 inode=2 inod=2",
            "p:4:31: error: unknown key 'inod' of 'directory'; did you mean 'inode'?"
        ),
        ("directory d mode=0755", "p:4:1: error: 'directory' without 'inode='"),
        (
            "directory mode=0755 inode=2",
            "p:4:1: error: 'directory' without the word that follows it"
        ),
        ("directory d e mode=0755 inode=2", "p:4:13: error: found 'e', expected 'key=value'"),
        ("directory d mode=0755 inode=2 inode=3", "p:4:31: error: a second 'inode=' in one line"),
        (
            "directory d mode=0755 inode=4294967296",
            "p:4:29: error: inode: found '4294967296', expected a number from 0 through 4294967295"
        ),
        (
            "directory d mode=0755 inode=99999999999999999999999",
            "p:4:29: error: inode: found '99999999999999999999999', expected a number below 2^64"
        ),
        ("directory d mode=0755 inode=-1", "p:4:29: error: inode: found '-1', expected a number"),
        (
            "directory d mode=0100755 inode=2",
            "p:4:18: error: mode: found '0100755', expected the type bits of a 'directory': 040000"
        ),
        (
            "device d mode=0644 inode=2",
            "p:4:15: error: mode: found '0644', expected the type bits of a 'device':"
                + " 010000, 020000, 060000, 0140000, 050000"
        ),
        (
            "directory d\\ mode=0755",
            "p:4:12: error: found a backslash in a word without quotes; write the whole value in quotes"
        ),
        (
            "directory d\"e\" mode=0755",
            "p:4:12: error: found a quote in a word without quotes; write the whole value in quotes"
        ),
        ("directory \"d", "p:4:11: error: a quote without its end in the same line"),
        ("directory \"d\"e", "p:4:14: error: found a word joined to the quote before it"),
        (
            "directory \"\\q\"",
            "p:4:12: error: found '\\q' between quotes; a backslash stands before \\, \", n, t or xNN"
        ),
        (
            "directory \"\\xg0\"",
            "p:4:12: error: found '\\x' between quotes; a backslash stands before \\, \", n, t or xNN"
        ),
        ("directory \"\\", "p:4:12: error: a backslash at the end"),
        ("directory \u{1}", "p:4:11: error: found the control character 0x1; write \\xNN"),
        ("directory \"\\x00\" mode=0755 inode=2", "p:4:11: error: path: found a NUL in a name"),
        (
            "file a mode=0644 inode=2",
            "p:4:1: error: 'file' without bytes; they come as 'from=', 'text=' or 'hex=', or in lines of 'text' or 'hex'"
        ),
        (
            "file a mode=0644 inode=2 hex=123",
            "p:4:30: error: hex: found '123', expected an even number of digits of base 16"
        ),
        (
            "file a mode=0644 inode=2 hex=zz",
            "p:4:30: error: hex: found 'zz', expected an even number of digits of base 16"
        ),
        ("file a mode=0644 inode=2 text=x size=3", "p:4:38: error: 'size=' without 'from='"),
        ("file a mode=0644 inode=2 from=b", "p:4:31: error: host file '/nowhere/b' not available"),
        ("file a mode=0644 inode=2 from=\"\"", "p:4:31: error: from: found no path"),
        (
            "tail from=/dev/null size=0",
            "p:4:11: error: '/dev/null': found a directory or a special file, expected a file"
        ),
        (
            "tail from=/etc/passwd size=1 text=a",
            "p:4:11: error: 'from=' and bytes in the plan do not go together"
        ),
        ("extent a mode=0644 inode=2 size=1", "p:4:1: error: 'extent' without 'at='"),
        (
            "hardlink a mode=0644 inode=2 to=9",
            "p:4:33: error: to: found 9, which is the inode of no file"
        ),
        (
            "symlink a mode=0777 inode=2 target=b library=9",
            "p:4:46: error: library: found 9, which is the inode of no file"
        ),
        ("symlink a mode=0777 inode=2", "p:4:1: error: 'symlink' without 'target='"),
        (
            "directory d mode=0755 inode=2 at=1 unit=2",
            "p:4:41: error: 'at=' and another place do not go together"
        ),
        ("directory d mode=0755 inode=2 block=2", "p:4:37: error: 'block=' without 'unit='"),
        (
            "directory d mode=0755 inode=2 role=scrpt",
            "p:4:36: error: role: found 'scrpt', expected one of bootstrap, script; did you mean 'script'?"
        ),
        (
            "directory d mode=0755 inode=2 rules=sticky,x",
            "p:4:37: error: rules: found 'x', expected one of executable-when-linked, sticky"
        ),
        ("text x", "p:4:1: error: 'text' is no part of 'root'"),
        ("root mode=0755 inode=1", "p:4:1: error: a second 'root'; the first is in line 3"),
        ("image release=8.0 order=big", "p:4:1: error: a second 'image'; the first is in line 2"),
        (
            "header flags=0x20",
            "p:4:14: error: flags: found '0x20', expected a number from 0 through 31"
        ),
        ("header boot=1,2,3,4,5", "p:4:13: error: boot: found 5 numbers, expected 4 at most"),
        ("header boot=1,x", "p:4:13: error: boot: found 'x', expected a number"),
        ("filter arguments=x", "p:4:1: error: 'filter' without 'command='"),
        ("startup text=x\n module m", "p:5:2: error: 'module' without 'link'"),
        ("startup text=x\n environment m", "p:5:2: error: 'environment' without 'command'"),
        ("startup text=x\n command\n command", "p:6:2: error: a second 'command' of one 'startup'"),
        ("startup-header text=x", "p:4:1: error: 'startup-header' without 'order='"),
        (
            "startup-header order=big text=x",
            "p:4:1: error: startup header.startup_size at 0x20: found 0x0,"
                + " expected a multiple of 4 from 0x104 on"
        ),
        (
            "startup-header order=big text=x info=" + String(repeating: "00", count: 193),
            "p:4:38: error: info: found 193 bytes, expected 192 at most"
        ),
        (
            "remain at=0x100000000 text=x",
            "p:4:11: error: at: found '0x100000000', expected a number from 0 through 4294967295"
        ),
    ]

    @Test(arguments: broken)
    func oneFaultIsOneLine(text: String, message: String) {
        #expect(Self.messages(Self.text(text)) == [message])
    }

    static let headless = [
        ("", "p:1:1: error: found '', expected 'ifsfs-plan 1'"),
        ("root\n", "p:1:1: error: found 'root', expected 'ifsfs-plan 1'"),
        ("# x\nifsfs-plan 2\nroot", "p:2:1: error: found 'ifsfs-plan 2', expected 'ifsfs-plan 1'"),
        ("ifsfs-plan 1\n", "p:2:1: error: found no 'image', expected its release and byte order"),
        (
            "ifsfs-plan 1\nimage release=7.0 order=big\n",
            "p:3:1: error: found no 'root', expected the root of the tree"
        ),
        (
            "ifsfs-plan 1\nimage release=6.5 order=big\nroot mode=0755 inode=1",
            "p:2:15: error: release: found '6.5', expected one of 6.4, 6.6, 7.0, 7.1, 8.0;"
                + " did you mean '6.4'?"
        ),
    ]

    @Test(arguments: headless)
    func whatIsNoPlanIsToldOnce(text: String, message: String) {
        #expect(Self.messages(Array(text.utf8)) == [message])
    }

    @Test func allFaultsAreToldInOneRun() {
        let found = Self.messages(Self.text("fiel a\ndirectory mode=x inode=y\nfile \"\n"))
        #expect(
            found.map { String($0.prefix(10)) }
                == ["p:4:1: err", "p:5:1: err", "p:6:6: err", "p:5:16: er", "p:5:24: er"])
    }

    @Test func aFileOfTheHostHasTheSizeOfThePlan() throws {
        let folder = try PartsFolder()
        try Data([1, 2, 3]).write(to: folder.url.appendingPathComponent("part"))
        let error = try #require(throws: MkifsError.self) {
            try folder.plan(Self.text("tail from=part size=4"))
        }
        #expect(
            error.description
                == "plan:4:21: error: '\(folder.url.path)/part': found 3 bytes, expected 4;"
                + " without 'size=' a file of any size will do")
    }

    // MARK: Damage

    /// A text that has all statements.
    private func whole(_ seed: UInt64) throws -> [UInt8] {
        var random = RandomPlan(seed: seed)
        return try random.plan().text()
    }

    @Test(arguments: UInt64(0)..<20)
    func aCutTextIsReadOrRefused(seed: UInt64) throws {
        let whole = try whole(seed)
        var random = SplitMix64(seed: seed)
        for _ in 0..<40 {
            _ = Self.messages(Array(whole[..<Int(random.next() % UInt64(whole.count))]))
        }
    }

    @Test(arguments: UInt64(0)..<40)
    func aDamagedTextIsReadOrRefused(seed: UInt64) throws {
        let whole = try whole(seed)
        var random = SplitMix64(seed: seed)
        for _ in 0..<30 {
            var damaged = whole
            for _ in 0...(random.next() % 4) {
                damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(random.next() & 0xff)
            }
            _ = Self.messages(damaged)
        }
    }

    /// Plans of any values are laid out or refused; what is laid out can be written.
    @Test(arguments: UInt64(0)..<300)
    func aPlanOfAnyValuesIsLaidOutOrRefused(seed: UInt64) throws {
        var random = RandomPlan(seed: seed)
        var plan = random.plan()
        plan.pageSize &= 0xffff
        for index in plan.entries.indices {
            plan.entries[index].kind = Self.inlined(plan.entries[index].kind)
        }
        if seed % 2 == 0 { plan.startup = nil }
        if seed % 3 == 0 { plan.header.imageSize = nil }
        do {
            let image = try Build(BuildOptions(plan.release), Toolbox(environment: []))
                .layout(plan)
            guard image.image.header.imageSize < 1 << 20 else { return }
            var sink = MemorySink()
            _ = try image.write(to: &sink)
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    /// The same kind with bytes that are there.
    private static func inlined(_ kind: Plan.Kind) -> Plan.Kind {
        switch kind {
        case .file, .program: .file(.bytes([1, 2, 3]))
        default: kind
        }
    }
}

/// What files the parts of a plan become.
struct PartNameTests {
    /// The names of parts that files of these paths become.
    private func names(_ paths: [[UInt8]]) throws -> [[[UInt8]]] {
        var plan = Plan(.v70, .little, root: Plan.Entry([], .directory, mode: 0o40755, inode: 1))
        plan.entries = paths.map {
            Plan.Entry($0, .file(.source(MemorySource([1]))), mode: 0o100644, inode: 2)
        }
        var names: [[[UInt8]]] = []
        _ = try plan.text { path, _ throws(MkifsError) in names.append(path) }
        return names
    }

    static let shown: [([String], [String])] = [
        (["a", "b/c"], ["a", "b/c"]), (["a", "a", "a"], ["a", "a~2", "a~3"]),
        (["a", "a/b", "a/b"], ["a", "a~/b", "a~/b~2"]), (["a/b", "a"], ["a/b", "a~2"]),
        (["../../x", "/y", "./z//w", ".."], ["__/__/x", "y", "_/z/w", "__~2"]),
        (["a\nb", "ü", "a~2", "a", "a"], ["a_b", "ü", "a~2", "a", "a~3"]),
    ]

    @Test(arguments: shown)
    func aPartIsNamedAfterItsPath(paths: [String], expected: [String]) throws {
        let found = try names(paths.map { Array($0.utf8) })
        let texts = found.map { $0.map { text($0) }.joined(separator: "/") }
        #expect(texts == expected.map { "parts/tree/" + $0 })
    }

    @Test func noNameLeadsOutOrIsInTheWayOfAnother() throws {
        var random = SplitMix64(seed: 5)
        let letters = Array("a./\n".utf8) + [0xff]
        let paths = (0..<1000).map { _ in
            (0..<(random.next() % 7)).map { _ in letters[Int(random.next() % 5)] }
        }
        let long = [UInt8](repeating: 0x61, count: 5000)
        let deep = Array(String(repeating: "d/", count: 5000).utf8)
        let found = try names(paths + [long, long, deep, deep])
        var files: Set<[[UInt8]]> = []
        for path in found {
            let isNew = files.insert(path).inserted
            let byteCount = path.reduce(0) { $0 + $1.count + 1 }
            let areSafe = path.allSatisfy { name in
                !name.isEmpty && name.count < 220 && !name.contains(0) && !name.contains(0x2f)
                    && name != [0x2e] && name != [0x2e, 0x2e]
            }
            #expect(isNew && areSafe && byteCount < 1100)
        }
        let inTheWay = found.filter { path in
            (1..<path.count).contains { files.contains(Array(path[..<$0])) }
        }
        #expect(inTheWay == [])
    }
}

import Format
import Mkifs
import Testing

/// Which attribute a name means, and for which lines its value holds.
struct AttributeTests {
    /// The attributes of each line, the scope at the end, and what there was to say.
    private func enter(
        _ text: String, _ release: Release = .v70, _ lookup: @escaping VariableLookup = noVariables
    ) -> (entries: [EntryAttributes], scope: AttributeScope, messages: [String]) {
        let reading = Reading(text)
        var diagnostics = reading.diagnostics
        var scope = AttributeScope(release)
        let entries = reading.file.lines.map { scope.enter($0, lookup, &diagnostics) }
        return (entries, scope, diagnostics.kept.map(\.description))
    }

    /// The modifiers of each line of a script.
    private func script(_ text: String) -> (modifiers: [ScriptModifiers], messages: [String]) {
        let (lines, _) = commandLines(text)
        var diagnostics = Diagnostics()
        var scope = AttributeScope(.v70)
        var section = AttributeScope.Section(of: EntryAttributes(defaultsOf: .v70))
        let modifiers = lines.map {
            scope.enterScript($0, in: &section, noVariables, &diagnostics)
        }
        return (modifiers, diagnostics.kept.map(\.description))
    }

    @Test(
        arguments: [
            ("a", "autolink"), ("b", "bigendian"), ("big", "bigendian"), ("big_", "big_pages"),
            ("c", "compress"), ("d", "dupignore"), ("f", "followlink"), ("i", "include"),
            ("k", "keeplinked"), ("o", "optional"), ("opt", "optional"), ("p", "page_align"),
            ("r", "raw"), ("re", "relocs"), ("s", "script"),
        ])
    func aLeadingPartMeansTheFirstFlagOfTheTable(_ part: String, _ name: String) throws {
        let flags = AttributeTable.definitions.filter { $0.kind == .flag && $0.scope != .modifier }
        let first = try #require(flags.first { $0.name.hasPrefix(part) })
        #expect(first.name == name)
        let (short, long) = (
            enter("[-\(part)]\n[+\(part)] x", .v80), enter("[-\(name)]\n[+\(name)] x", .v80)
        )
        #expect(short.entries == long.entries && short.scope.image == long.scope.image)
        #expect(short.messages == [])
    }

    @Test(
        arguments: [
            ("[perm=1]", "2: error: unknown attribute 'perm'; did you mean 'perms'?"),
            ("[permjs=1]", "2: error: unknown attribute 'permjs'; did you mean 'perms'?"),
            ("[ui=1]", "2: error: unknown attribute 'ui'; did you mean 'uid'?"),
            ("[PERMS=1]", "2: error: unknown attribute 'PERMS'"),
            ("[pri=1]", "2: error: unknown attribute 'pri'"),
            ("[+optionl]", "2: error: unknown attribute '+optionl'; did you mean '+optional'?"),
            ("[-rwa]", "2: error: unknown attribute '-rwa'; did you mean '-raw'?"),
            ("[+uid]", "2: error: 'uid' takes a value; write 'uid='"),
            ("[raw=1]", "2: error: 'raw' takes a sign and no value; write '+raw'"),
            ("[uid=x]", "6: error: uid: found 'x', expected '*' or a number"),
            ("[uid=]", "6: error: uid: found '', expected '*' or a number"),
            (
                "[type=lnk]",
                "7: error: type: found 'lnk', expected file, link, fifo or dir; did you mean 'link'?"
            ),
            (
                "[compress=4]",
                "11: error: compress: found '4', expected 1 (zlib), 2 (LZO) or 3 (UCL)"
            ),
            ("[?gid=x]", "7: error: gid: found 'x', expected '*' or a number"),
            (
                "[raw]",
                "2: error: malformed attribute: found 'raw', expected +name, -name or name=value; did you mean '+raw'?"
            ),
            (
                "[uid = 5]",
                "2: error: malformed attribute: found 'uid', expected +name, -name or name=value; did you mean 'uid='?"
            ),
            (
                "[x]",
                "2: error: malformed attribute: found 'x', expected +name, -name or name=value"
            ),
            ("[+]", "2: error: malformed attribute: found '+', expected a name behind the sign"),
            ("[?-]", "2: error: malformed attribute: found '?-', expected a name behind the sign"),
            (
                "[?]",
                "2: error: malformed attribute: found '?', expected +name, -name or name=value"
            ),
            ("[=5]", "2: error: malformed attribute: found '=5', expected a name before the '='"),
        ])
    func aFaultIsNamedWhereItStands(_ line: String, _ message: String) {
        #expect(enter(line + " x").messages.first == "a.build:1:" + message)
    }

    @Test func aFaultLeavesTheOtherAttributesOfTheLine() {
        let (entries, _, messages) = enter("[uid=1 perm=2 raw gid=3] x")
        #expect(entries.first?.user == .id(1) && entries.first?.group == .id(3))
        #expect(messages.count == 2)
    }

    @Test func attributesAloneHoldForTheLinesBelowAndOthersForTheirOwn() {
        let (entries, _, _) = enter("a\n[uid=1 +raw]\nb\n[uid=2 -raw] c\nd\n[] e\n[uid=3]\nf")
        let users = entries.map(\.user)
        #expect(users == [.host, .id(1), .id(1), .id(2), .id(1), .id(1), .id(3), .id(3)])
        #expect(entries.map(\.isRaw) == [false, true, true, false, true, true, true, true])
    }

    @Test func aConditionalAttributeCountsOnlyWhereNothingSetItBefore() {
        let (entries, scope, _) = enter(
            "[?uid=9] a\n[?uid=8] b\n[gid=1] c\n[?gid=2] d\n[-optional] e\n[?+optional] f\n"
                + "[?compress=2] g\n[?+compress] h\n[?+bigendian]")
        #expect(entries.prefix(2).map(\.user) == [.id(9), .host])
        #expect(entries[3].group == .host && entries[5].isOptional)
        #expect(scope.image.compression == .lzo && scope.image.isBigEndian == true)
    }

    @Test func ofTheImageTheLastValueHoldsWhereverItStands() {
        let (_, scope, messages) = enter(
            """
            [image=1m compress=1] a
            [-compress image=2m chain=0x10 mount=/ifs] b
            [linker="one" pagesizes=4k] c
            [linker=two +bigendian autoso=list]
            """, .v80)
        #expect(messages.allSatisfy { $0.contains("'autoso' has no effect") })
        let image = scope.image
        #expect(image.range?.start == 0x200000 && image.compression == IFS.Compression.none)
        #expect(image.chain == 16 && image.mount.map { text($0) } == "/ifs")
        #expect(image.linkers.map { text($0) } == ["one", "two"])
        #expect(image.isBigEndian == true && image.pageSizes == [4096])
        #expect(image.missingLibraries == .list)
    }

    @Test func aPlainCompressIsUCL() {
        #expect(enter("[+compress]").scope.image.compression == .ucl)
        #expect(enter("a").scope.image.compression == nil)
    }

    @Test func aBootfileIsNotInherited() {
        let (entries, _, _) = enter("[virtual=x86,elf]\na\n[virtual=x86,elf] b\nc")
        #expect(entries.map { $0.virtual != nil } == [true, false, true, false])
    }

    @Test func modulesStartAnewInEachList() {
        let (entries, _, _) = enter("[module=a module=b]\nx\n[uid=1] y\n[module=c] z\nx")
        #expect(
            entries.map { $0.modules.map { text($0) } } == [
                ["a", "b"], ["a", "b"], [], ["c"], ["a", "b"],
            ])
    }

    @Test func ramMakesDataACopyFromThereOn() {
        let (entries, scope, _) = enter("a\n[ram=1m]\nb\n[data=uip] c", .v66)
        #expect(entries.map(\.data) == [.inPlace, .copy, .copy, .inPlace])
        #expect(scope.image.ram?.start == 0x100000)
    }

    @Test func aFilterNoneClearsTheOneBefore() {
        let (entries, _, _) = enter("[filter=\"tr a b\"]\na\n[filter=none] b")
        #expect(entries.map { $0.filter.map { text($0) } } == ["tr a b", "tr a b", nil])
    }

    @Test func sectionsAreNamedWithCommas() {
        let (entries, _, _) = enter("a\n[keepsection=QNX_usage,extra] b\n[keepsection=] c")
        #expect(
            entries.map { $0.keptSections?.map { text($0) } } == [nil, ["QNX_usage", "extra"], []])
    }

    @Test func aMissingFileIsAnErrorFromReleaseEightOn() {
        #expect(
            Release.allCases.map { EntryAttributes(defaultsOf: $0).isOptional } == [
                true, true, true, true, false,
            ])
    }

    @Test func directoriesGetTheirUsualBitsWhereNothingIsSaid() {
        let attributes = EntryAttributes(defaultsOf: .v70)
        #expect(attributes.directoryPermissions.applied(to: 0o700) == 0o755)
        #expect(attributes.permissions.applied(to: 0o640) == 0o640)
    }

    @Test func variablesCanMakeValuesNamesAndWholeAttributes() {
        let values = variables(["U": "5", "N": "id", "A": "?gid=7", "S": "+ra", "B": "uid=x"])
        let (entries, _, messages) = enter(
            "[uid=${U}] a\n[g${N}=6] b\n[${A}] c\n[${S}w] d\n[${B}] e\n[-r${NONE}] f", .v70, values)
        #expect(entries[0].user == .id(5) && entries[1].group == .id(6))
        #expect(entries[2].group == .host && entries[3].isRaw)
        #expect(messages == ["a.build:5:6: error: uid: found 'x', expected '*' or a number"])
    }

    @Test func aDefinitionKnowsItsReleases() throws {
        let rows = AttributeTable.definitions
        let code = try #require(rows.first { $0.name == "code" })
        #expect(code.since == .v64 && code.until == .v70)
        let mtime = try #require(rows.first { $0.name == "mtime" })
        #expect(mtime.since == .v66 && mtime.until == nil)
    }

    @Test(arguments: [
        (Release.v64, ["a.build:1:2: warning: 'sha256' came with 7.0, and the profile is 6.4"]),
        (.v70, []),
    ])
    func anAttributeThatCameLaterIsWarnedAboutOnce(_ release: Release, _ expected: [String]) {
        let sum = String(repeating: "0", count: 64)
        let reading = Reading("[sha256=\(sum)] a\n[sha256=\(sum)] b\n")
        var scope = AttributeScope(release)
        var diagnostics = Diagnostics()
        for line in reading.file.lines { _ = scope.enter(line, noVariables, &diagnostics) }
        #expect(diagnostics.kept.map(\.description) == expected)
    }

    @Test(arguments: ["autoso=list", "drop=x"])
    func anAttributeThatDoesNothingIsWarnedAboutOnce(_ attribute: String) {
        let reading = Reading("[\(attribute)]\n[\(attribute)] b\n")
        var scope = AttributeScope(.v80)
        var diagnostics = Diagnostics()
        for line in reading.file.lines { _ = scope.enter(line, noVariables, &diagnostics) }
        let name = attribute.split(separator: "=")[0]
        #expect(
            diagnostics.kept.map(\.description)
                == ["a.build:1:2: warning: '\(name)' has no effect: no document says what it does"])
    }

    @Test func onlySomeValuesMayBeAnAsterisk() {
        let names = AttributeTable.definitions.filter { $0.kind.allowsAsterisk }.map(\.name)
        #expect(names == ["dperms", "gid", "perms", "uid", "mtime", "cpu", "pri"])
    }

    @Test func modifiersHoldForTheirCommandOrForThoseBelow() {
        let (modifiers, messages) = script(
            "[pri=20f argv0=x] a\nb\n[+session pri=9]\nc\n[pri=* -s cpu=1 sched_aps=p] d\n[+e +d] e"
        )
        #expect(messages == [])
        #expect(modifiers.map { $0.priority?.level } == [20, nil, 9, 9, nil, 9])
        #expect(modifiers.map(\.isSession) == [false, false, true, true, false, true])
        #expect(modifiers[4].processor == 1 && modifiers[4].partition == Array("p".utf8))
        #expect(modifiers[0].argv0 == Array("x".utf8))
        #expect(modifiers[5].isExternal && modifiers[5].isDebug && !modifiers[4].isExternal)
    }

    @Test func aModifiersNameMayBeInCapitals() {
        #expect(script("[CPU=2] a").modifiers.first?.processor == 2)
    }

    @Test func anEntrysAttributeIsNoModifier() {
        #expect(script("[perms=0644] a").messages == ["s:1:2: error: unknown attribute 'perms'"])
    }

    @Test func aBootSectionStartsFromItsLineAndChangesOnlyItself() {
        let (entries, _, _) = enter("[uid=1 +keeplinked virtual=x86,elf] boot={\n}")
        var scope = AttributeScope(.v70)
        var diagnostics = Diagnostics()
        var section = AttributeScope.Section(of: entries[0])
        let lines = commandLines("a\n[module=m] b\n[uid=2 compress=1] A=1\nc").lines
        let found = lines.map { scope.enterBoot($0, in: &section, noVariables, &diagnostics) }
        #expect(found.map(\.user) == [.id(1), .id(1), .id(2), .id(2)])
        #expect(found.map(\.modules.count) == [0, 1, 0, 0] && found.allSatisfy(\.keepLinked))
        #expect(scope.image.compression == .zlib && scope.defaults.user == .host)
    }
}

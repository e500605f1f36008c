import Foundation
import TestSupport
import Testing

/// What the vendor's mkifs does not have.
struct MkifsOwnOptionTests {
    private func folder(_ build: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(Array(build.utf8), to: "a.build")
        try folder.write(Array("hello\n".utf8), to: "hello")
        return folder
    }

    // MARK: --depfile

    @Test(.enabled(if: Tool.has("make"), "no make here"))
    func makeBuildsAgainWhenAHostFileIsNewer() throws {
        let folder = try folder("./hello\n\"name with $ and # in it\"=\"./odd $ #name\"\n")
        try folder.write([1], to: "odd $ #name")
        let rule = """
            a.ifs: a.build
            \t'\(Tool.mkifs)' --depfile a.d a.build a.ifs
            -include a.d

            """
        try folder.write(Array(rule.utf8), to: "Makefile")
        func make(_ words: String...) throws -> Child.Outcome {
            var child = Child(["make"] + words)
            child.folder = folder.url
            return try child.run()
        }
        expectSuccess(try make())
        #expect(try make("-q").end == .exit(0))
        for name in ["hello", "odd $ #name"] {
            expectSuccess(try touched(name, in: folder))
            #expect(try make("-q").end == .exit(1), "\(name)")
            expectSuccess(try make())
            #expect(try make("-q").end == .exit(0))
        }
    }

    /// Gives a file a time in the future.
    private func touched(_ name: String, in folder: TemporaryFolder) throws -> Child.Outcome {
        for other in try folder.names() where other != name {
            expectSuccess(try Child(["touch", "-d", "2001-01-01", folder.path(other)]).run())
        }
        return try Child(["touch", folder.path(name)]).run()
    }

    @Test func theDepfileNamesAllThatTheImageIsMadeFrom() throws {
        let folder = try folder("tree=./tree\n[search=search] found\n./hello\n")
        for name in ["tree", "tree/below", "search"] { mkdir(folder.path(name), 0o755) }
        for name in ["tree/below/x", "search/found", "patch"] { try folder.write([], to: name) }
        expectSuccess(
            try mkifs(
                ["-p", "patch", "--depfile", "a.d", "a.build", "a.ifs"], in: folder))
        let text = String(decoding: try folder.bytes("a.d"), as: UTF8.self)
        let first = text.components(separatedBy: "\n\n")[0]
        let words = first.split { " \\\n".contains($0) }.map(String.init)
        #expect(words.first == "a.ifs:")
        #expect(
            Set(words.dropFirst())
                == ["a.build", "patch", "./tree", "./tree/below/x", "search/found", "./hello"])
    }

    @Test func theDepfileOfAPlanNamesItsParts() throws {
        let folder = try folder("./hello\n")
        expectSuccess(try mkifs(["-nn", "a.build", "a.ifs"], in: folder))
        expectSuccess(try dumpifs(["--plan", "dir", "a.ifs"], in: folder))
        expectSuccess(
            try mkifs(["--plan", "--depfile", "a.d", "dir/plan", "b.ifs"], in: folder))
        #expect(try folder.bytes("a.ifs") == folder.bytes("b.ifs"))
        let text = String(decoding: try folder.bytes("a.d"), as: UTF8.self)
        #expect(text.hasPrefix("b.ifs: \\\n  dir/plan \\\n  dir/parts/tree/hello\n"))
    }

    @Test func aFailedBuildLeavesNoDepfile() throws {
        let folder = try folder("[-optional] missing\n")
        let outcome = try mkifs(["--depfile", "a.d", "a.build", "a.ifs"], in: folder)
        #expect(outcome.end == .exit(1))
        #expect(try folder.names() == ["a.build", "hello"])
    }

    // MARK: The output

    @Test(arguments: ["a.build", "hello", "link"])
    func anImageNeverTakesThePlaceOfWhatItIsMadeFrom(_ output: String) throws {
        let folder = try folder("./hello\n")
        symlink("hello", folder.path("link"))
        expectFailure(
            try mkifs(["a.build", output], in: folder),
            saying: [
                "mkifs: \(output): found a file that the image is made from, expected another for the"
                    + " image"
            ])
        #expect(try folder.bytes("hello") == Array("hello\n".utf8))
        #expect(try folder.names() == ["a.build", "hello", "link"])
    }

    // MARK: --fast

    @Test(arguments: [1, 2, 3])
    func aFastImageHasTheSameContents(_ method: Int) throws {
        let folder = try folder("[compress=\(method)]\n./words\n")
        let words = (0..<20_000).map { "\($0 % 977) and \($0)\n" }.joined()
        try folder.write(Array(words.utf8), to: "words")
        expectSuccess(try mkifs(["-nn", "a.build", "slow.ifs"], in: folder))
        expectSuccess(try mkifs(["-nn", "--fast", "a.build", "fast.ifs"], in: folder))
        #expect(try folder.bytes("fast.ifs") != folder.bytes("slow.ifs"))
        for name in ["fast", "slow"] {
            expectSuccess(try dumpifs(["-u", name, name + ".ifs"], in: folder))
        }
        // All but stored_size in the header and the sum behind it is the same.
        let (fast, slow) = (try folder.bytes("fast"), try folder.bytes("slow"))
        #expect(fast.count == slow.count)
        #expect(fast.dropFirst(260) == slow.dropFirst(260))
    }

    // MARK: --profile

    @Test(arguments: [("6.4", "01755", 4), ("7.0", "0755", 4), ("8.0", "0755", 68)])
    func theProfileDecidesWhatReleasesDoDifferently(
        _ profile: String, _ mode: String, _ trailer: Int
    ) throws {
        let folder = try folder("[perms=0755] x={\nx\n}\n")
        for (words, environment) in [
            (["--profile", profile], [:]), ([], ["MKIFS_PROFILE": profile]),
            (["--profile", profile], ["MKIFS_PROFILE": "6.6"]),
        ] {
            expectSuccess(
                try mkifs(words + ["-nn", "a.build", "a.ifs"], in: folder) {
                    $0.environment = environment
                })
            let report = try Report(dumpifs(["--json", "a.ifs"], in: folder).output)
            let file = report["images"][0]["entries"][1]
            #expect(file["mode"].text == mode)
            let image = report["images"][0]["image"]
            let end = (file["offset"].number ?? 0) + 2
            #expect((image["image_size"].number ?? 0) == (end + 3) / 4 * 4 + UInt64(trailer))
        }
    }

    @Test func withoutAWordThe70ProfileHolds() throws {
        let folder = try folder("[perms=0755] x={\nx\n}\n")
        expectSuccess(try mkifs(["-nn", "a.build", "a.ifs"], in: folder))
        expectSuccess(try mkifs(["-nn", "--profile", "7.0", "a.build", "b.ifs"], in: folder))
        #expect(try folder.bytes("a.ifs") == folder.bytes("b.ifs"))
    }

    @Test func anUnknownProfileIsNamed() throws {
        let folder = try folder("")
        expectFailure(
            try mkifs(["--profile", "6.5", "a.build", "a.ifs"], in: folder),
            saying: ["mkifs: profile: found '6.5', expected one of 6.4, 6.6, 7.0, 7.1, 8.0"])
    }

    // MARK: --check

    @Test func aCheckCountsMissingFilesAndWritesNothing() throws {
        let folder = try folder(
            "[-optional] missing\nalso-missing\n./hello\n[filter=\"touch ran\"] y=./hello\n")
        let outcome = try mkifs(["--check", "a.build", "a.ifs"], in: folder)
        #expect(outcome.end == .exit(0))
        #expect(outcome.complaints == ["mkifs: 2 host files missing"])
        #expect(try folder.names() == ["a.build", "hello"])
    }

    // MARK: -v

    @Test func eachFurtherVSaysMore() throws {
        let folder = try folder("[search=.] hello\n[filter=cat] y=./hello\n/l={\n}\n")
        func lines(_ verbosity: Int) throws -> [String] {
            let option = "-" + String(repeating: "v", count: verbosity)
            return try mkifs(["-nn", option, "a.build", "a.ifs"], in: folder).complaints
        }
        #expect(try mkifs(["-nn", "a.build", "a.ifs"], in: folder).complaints == [])
        #expect(
            try lines(1) == [
                "  Offset   Size    Entry   Ramoff Target=Host",
                "       0     5c     ----      --- Image-header",
                "      5c     90     ----      --- Image-directory",
                "      ec      0     ----      --- l",
                "      ec      6     ----      --- hello=./hello",
                "      f2      6     ----      --- y=./hello",
                "      f8      4     ----      --- Image-trailer",
            ])
        // What cksum -a crc32b prints of "hello\n".
        #expect(
            try lines(2).contains("      ec      6     ----      --- hello=./hello (909783072)"))
        #expect(try !lines(2).contains("Execute: cat"))
        #expect(try lines(3).contains("Execute: cat"))
        #expect(try !lines(5).contains("Search: ./hello"))
        #expect(try lines(6).contains("Search: ./hello"))
    }

    // MARK: Progress

    @Test(.enabled(if: Terminal.isHere, "no script(1) here"))
    func progressShowsOnATerminalOnly() throws {
        let folder = try folder("[compress=3]\n./noise\n")
        // Enough to pack for more than a second.
        let fill = "head -c 48000000 /dev/urandom > noise"
        var maker = Child(["sh", "-c", fill])
        maker.folder = folder.url
        expectSuccess(try maker.run())
        let command = "'\(Tool.mkifs)' -nn a.build a.ifs"
        var child = Child(["script", "-qec", command, "/dev/null"])
        child.folder = folder.url
        let outcome = try child.run()
        #expect(outcome.end == .exit(0))
        #expect(outcome.text.contains(" % "))
        expectSuccess(try mkifs(["-nn", "a.build", "b.ifs"], in: folder))
        #expect(try folder.bytes("a.ifs") == folder.bytes("b.ifs"))
    }
}

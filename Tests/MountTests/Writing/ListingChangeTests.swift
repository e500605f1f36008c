import Foundation
import TestSupport
import Testing

/// What the kernel keeps of names and directories, and how it stays true while they change.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct ListingChangeTests {
    private func make(_ path: Word) -> Bool { path.withCString { mkdir($0, 0o755) } == 0 }

    @Test func aListingThatWasKeptIsReadAnewAfterEachChange() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        // Twice, so that the second comes from what the kernel keeps.
        func listed() throws -> [Word] {
            _ = try mount.names()
            return try mount.names()
        }
        #expect(try listed() == [])
        try mount.write("a", [1])
        #expect(try listed() == ["a"])
        #expect(make(mount / "d"))
        #expect(try listed() == ["a", "d"])
        #expect(mount.rename("a", "b") == nil)
        #expect(try listed() == ["b", "d"])
        #expect((mount / "l").withCString { symlink("x", $0) } == 0)
        #expect((mount / "p").withCString { mkfifo($0, 0o644) } == 0)
        #expect(try listed() == ["b", "d", "l", "p"])
        #expect((mount / "b").withCString { unlink($0) } == 0)
        #expect((mount / "d").withCString { rmdir($0) } == 0)
        #expect(try listed() == ["l", "p"])
    }

    /// The kernel remembers that there is no such name until there is.
    @Test func aNameThatWasMissedIsFoundOnceItIsThere() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let missing = SystemError(code: ENOENT)
        for name: Word in ["made", "moved", "directory"] {
            for _ in 0..<2 { #expect(throws: missing) { try Calls.status(mount / name) } }
        }
        try mount.write("made", [1])
        #expect(try Calls.status(mount / "made").st_size == 1)
        #expect(mount.rename("made", "moved") == nil)
        #expect(try Calls.status(mount / "moved").st_size == 1)
        #expect(throws: missing) { try Calls.status(mount / "made") }
        #expect(make(mount / "directory"))
        #expect(try Calls.status(mount / "directory").st_nlink == 2)
        #expect((mount / "directory").withCString { rmdir($0) } == 0)
        #expect(throws: missing) { try Calls.status(mount / "directory") }
        try mount.write("directory", [1, 2])
        #expect(try Calls.status(mount / "directory").st_size == 2)
    }

    /// One file of two names: what changes through the one shows through the other.
    @Test func aFileOfTwoNamesIsOneFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let (one, two) = (mount / "linked/one", mount / "linked/two")
        #expect(try Calls.status(one).st_ino == Calls.status(two).st_ino)
        #expect(try Calls.status(two).st_nlink == 2)
        #expect(try Calls.contents(two) == Array("both\n".utf8))
        try mount.write("linked/one", Array("longer than before\n".utf8))
        #expect(try Calls.status(two).st_size == 19)
        #expect(try Calls.contents(two) == Array("longer than before\n".utf8))
        #expect(two.withCString { chmod($0, 0o600) } == 0)
        #expect(try Calls.status(one).st_mode & 0o777 == 0o600)
        #expect(one.withCString { unlink($0) } == 0)
        #expect(try Calls.status(two).st_nlink == 1)
        #expect(mount.rename("linked/two", "alone") == nil)
        #expect(try Calls.contents(mount / "alone").count == 19)
        #expect(try Calls.names(mount / "linked") == [])
    }

    /// Between two names of one file, rename(2) does nothing.
    @Test func aNameIsNotRenamedToAnotherOfTheSameFile() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        #expect(mount.rename("linked/one", "linked/two") == nil)
        #expect(try Calls.names(mount / "linked") == ["one", "two"])
    }

    // MARK: Changes during a listing

    @Test func twoThousandFilesAreRemovedAtOnce() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            cd "$1"; mkdir d; cd d; seq 2000 | xargs touch; mkdir -p s/{1..50}/x; ls -R > /dev/null
            cd ..; rm -r d
            """
        let done = try shell(script, mount.path)
        #expect(done.description == "status 0")
        #expect(try mount.names() == [])
        try mount.expectEnding("nodes 3")
    }

    /// What was there all the time is listed once by everybody, whatever comes and goes beside it.
    @Test func whatStaysIsListedOnceWhileOthersComeAndGo() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let script: Word = """
            cd "$1"; mkdir d; cd d
            for i in $(seq 600); do echo stays$i; echo goes$i; done | xargs touch
            churn() {
                for i in $(seq 600); do rm goes$i; : > new$i; mv new$i old$i; done
            }
            churn & changes=$!
            while kill -0 $changes 2> /dev/null; do
                ls -U | grep stays | sort | uniq -c | grep -c ' 1 stays'
                find . -type f > /dev/null 2>&1 || true
            done | sort -u
            wait $changes
            ls | grep -c old; ls | grep -c goes || true
            """
        let done = try shell(script, mount.path, deadline: 300)
        #expect(done.lines == ["600", "600", "0"], "\(done)")
    }

    /// An open listing goes on behind what was taken from it.
    @Test func aListingGoesOnThoughWhatItGaveIsGone() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let mount = try WritableMount(scratch)
        let made = try shell("mkdir $1; cd $1; seq 1000 2999 | xargs touch", mount / "d")
        #expect(made.status == 0, "\(made)")
        var found: [String] = []
        let listing = try #require((mount / "d").withCString { opendir($0) })
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.count == 4 else { continue }
            found.append(name)
            #expect((mount / "d" / Word(name)).withCString { unlink($0) } == 0)
            // The kernel's own list is made anew meanwhile.
            if found.count % 500 == 0 { _ = try Calls.names(mount / "d") }
        }
        #expect(found.sorted() == (1000...2999).map(String.init))
        #expect(try Calls.names(mount / "d") == [])
    }
}

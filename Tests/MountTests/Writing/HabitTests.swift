import Format
import Foundation
import TestSupport
import Testing

/// What people do in a mount: afterwards the image has the tree that the same commands make of a plain
/// directory.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct HabitTests {
    /// Makes a tree of files, directories and links in the directory `$1`.
    private static let tree = """
        make_tree() {
            mkdir -p "$1/a/b c" "$1/empty"
            for i in $(seq 60); do seq $((i * 37)) > "$1/a/file$i"; done
            printf 'odd\\n' > "$1/a/b c/ü-ß"
            ln -s ../file1 "$1/a/b c/link"
            chmod 4750 "$1/a/file2"
            find "$1" -exec touch -h -d @1111111111 {} +
            touch -d @1234567890 "$1/a/file3" "$1/empty"
        }

        """

    static let habits: [String: String] = [
        "sed": "sed -i s/local/global/ etc/hosts; sed -i '1s/./#/' etc/motd",
        "rsync": tree + """
            source=$(mktemp -d); make_tree "$source"
            rsync -a "$source/" copy/
            echo more >> "$source/a/file7"; rm "$source/a/file8"
            touch -d @99 "$source/a/file7" "$source/a/file9"
            rsync -a --delete "$source/" copy/
            rsync -a --inplace --checksum bin/ copy/bin/
            rm -r "$source"
            """,
        "tar": tree + """
            source=$(mktemp -d); make_tree "$source"; tar -C "$source" -cf "$source.tar" .
            mkdir unpacked; tar -C unpacked -xf "$source.tar"
            tar -C unpacked -xf "$source.tar"
            rm -r "$source" "$source.tar"
            """,
        "git": tree + """
            export GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent
            export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e GIT_AUTHOR_DATE='1234567890 +0000'
            export GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e GIT_COMMITTER_DATE='1234567890 +0000'
            git init -q -b main repository; make_tree repository/tree; cd repository
            git add -A; git commit -q -m first
            sed -i s/1/2/ tree/a/file4; git mv tree/a/file5 tree/other; git commit -q -a -m second
            git checkout -q HEAD~1; git checkout -q main
            git clone -q . ../other; git -C ../other gc -q; git -C ../other fsck --strict; rm -rf ../other
            test -z "$(git status --porcelain)"
            rm .git/index
            """,
        "links": """
        printf x >> etc/again; chmod 640 etc/motd; mv etc/again etc/other
        ln -s other etc/again; mkfifo -m 600 pipe; touch -h -d @5 etc/again pipe
        touch -d @77 etc/motd; rm etc/hosts
        [ "$(id -u)" != 0 ] || { mknod -m 620 char c 5 1; mknod block b 63 1023; chown -h 5:6 char etc/again; }
        touch -d @6 char block 2> /dev/null || true
        """,
        "moves": """
        mkdir new; mv bin/tool1 new/; mv new renamed; mv renamed etc/; rm -r empty
        cp -a bin more; rm bin/tool2; mv more/tool2 bin/; rm -r more
        cp etc/motd bin/tool3; : > bin/tool4; dd if=bin/tool5 of=bin/tool6 bs=4k status=none
        truncate -s 5000 etc/hosts; ln -sf nowhere bin/link7; chmod -R g-r bin
        """,
    ]

    /// The editor of the name, or one of its kind.
    private static let editors: [Word] = ["vim", "vim.tiny", "vi"]
    private static let editor: Word? = editors.first(where: Machine.has)

    /// Habits after which files have the times that somebody has given them.
    private static let timed: Set<String> = ["rsync", "tar", "links"]

    /// All that a tree shows but for contents; no image keeps the times of directories.
    private static func listing(withTimes: Bool) -> Word {
        """
        find . -mindepth 1 -type d -exec stat -c '%n %f %u %g' {} +
        find . ! -type d -exec stat -c '%N %f %u %g %h %s %t:%T\(withTimes ? " %Y" : "")' {} +
        """
    }

    @Test(arguments: habits.keys.sorted())
    func theTreeIsThatOfAPlainDirectory(habit: String) throws {
        let script = try #require(Self.habits[habit])
        for command in ["rsync", "git"] where habit == command {
            guard Machine.has(Word(command)) else { return }
        }
        for packing in [Packing.none, .lzo()] {
            try expectSame(script, packing, withTimes: Self.timed.contains(habit))
        }
    }

    @Test(
        .enabled(if: editor != nil, "no vim is installed"),
        arguments: ["", "set backup", "set noswapfile"])
    func anEditorMakesThatTreeToo(setting: String) throws {
        let editor = try #require(Self.editor)
        let script = """
            \(editor) -u NONE -i NONE -es -c '\(setting)' -c '%s/needle/noodle/' -c 'wq' etc/motd
            \(editor) -u NONE -i NONE -es -c '\(setting)' -c 'normal Gonew line' -c 'wq' etc/new
            grep -q noodle etc/motd
            """
        try expectSame(script, .none, withTimes: false)
    }

    private func expectSame(_ script: String, _ packing: Packing, withTimes: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch, Samples.ordinary.with { $0.packing = packing })
        let plain = try scratch.directory("plain")
        #expect(try site.mount().status == 0)
        #expect(try shell("cp -a \"$1/.\" \"$2\"", site.point, plain).status == 0)
        for place in [site.point, plain] {
            let done = try run(
                ["bash", "-euc", Word("umask 022\n" + script)], in: place, deadline: 300)
            #expect(done.status == 0, "\(done)")
        }
        #expect(try site.umount().description == "status 0")
        #expect(try site.leftovers() == ["plain"])
        #expect(try site.faults() == "")
        #expect(try site.mount("ro").status == 0)
        let differing = try run(
            [
                "diff", "-r", "--no-dereference", "-x", "pipe", "-x", "char", "-x", "block", plain,
                site.point,
            ], deadline: 300)
        #expect(differing.description == "status 0")
        let listing = Self.listing(withTimes: withTimes)
        let (one, other) = (
            try run(["sh", "-ec", listing], in: site.point),
            try run(["sh", "-ec", listing], in: plain)
        )
        #expect(one.lines.count > 60)
        #expect(Set(one.lines).symmetricDifference(other.lines).sorted() == [])
        #expect(try site.umount().status == 0)
    }

    /// Twenty thousand files come and go.
    @Test func manyFilesAreCopied() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch)
        let source = try scratch.directory("source")
        let made = try shell(
            """
            cd "$1"
            for d in $(seq 200); do
                mkdir d$d
                for f in $(seq 100); do echo "$d $f" > d$d/f$f; done
            done
            """, source, deadline: 300)
        #expect(made.status == 0)
        let before = try site.bytes()
        #expect(try site.mount().status == 0)
        #expect(try run(["cp", "-a", source, site.point], deadline: 300).description == "status 0")
        #expect(
            try run([Machine.tool("umount.ifs"), site.point], deadline: 300).description
                == "status 0")
        #expect(try run([Machine.tool("ifsctl"), "check", site.image], deadline: 300).status == 0)
        #expect(try site.mount().status == 0)
        let differing = try run(["diff", "-r", source, site / "source"], deadline: 300)
        #expect(differing.description == "status 0")
        #expect(try run(["rm", "-r", site / "source"], deadline: 300).description == "status 0")
        #expect(
            try run([Machine.tool("umount.ifs"), site.point], deadline: 300).description
                == "status 0")
        #expect(try site.faults() == "")
        #expect(try site.bytes().count < before.count + 4096)
        #expect(try run(["rm", "-r", source], deadline: 300).status == 0)
    }

    /// Editors write anew and rename over: the file keeps its inode with its flags, and little else in the
    /// image changes.
    @Test(arguments: [
        "sed -i s/local/global/ etc/hosts", "printf x >> etc/hosts",
        "cp etc/hosts etc/.tmp; echo new >> etc/.tmp; mv etc/.tmp etc/hosts",
        "mv etc/hosts etc/hosts~; echo new > etc/hosts; rm etc/hosts~",
        "touch -d @7 etc/hosts; chmod 600 etc/hosts",
    ])
    func aSmallEditIsASmallChange(script: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let site = try Site(scratch, Samples.ordinary.with { $0.packing = .none })
        let old = try scratch.file("old.ifs", site.bytes())
        #expect(try site.mount().status == 0)
        #expect(try site.change(script).description == "status 0")
        #expect(try site.umount().description == "status 0")
        let changed = try run(["sh", "-c", "cmp -l \"$0\" \"$1\" | wc -l", old, site.image])
        #expect(try #require(Int(changed.text.dropLast())) < 80)
        #expect(try inode("etc/hosts", old) == inode("etc/hosts", site.image))
    }

    private func inode(_ path: String, _ file: Word) throws -> UInt32 {
        let image = try IFS.Image.only(in: Calls.contents(file))
        return image.directory.entries[try #require(image.paths.firstIndex(of: path))].inode
    }
}

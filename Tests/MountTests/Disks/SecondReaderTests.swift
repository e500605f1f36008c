import Foundation
import TestSupport
import Testing

/// Where Linux itself is limited, another reader judges: dissect.qnxfs, which `scripts/judges` installs.
///
/// Linux shows what stands for a name of more than 48 bytes in QNX 4, and of two QNX 6 superblocks it
/// reads the trees of the first, whichever is the newer.
@Suite(
    .needsFuse, .enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"),
    .enabled(if: Card.hasSecondReader, "no dissect.qnxfs (scripts/judges)"),
    .timeLimit(.minutes(20)))
struct SecondReaderTests {
    /// Prints what a volume has, as `Manifest` does.
    private static let script: Word = """
        import hashlib, os, re, stat, sys
        from dissect.qnxfs import QNXFS
        def escaped(name, extra=b''):
            odd = rb'[\\x00-\\x1f\\x7f\\\\' + extra + rb']'
            return re.sub(odd, lambda found: b'\\\\%03o' % found[0][0], os.fsencode(name))
        found = {}
        def walk(node, path):
            found[path or '.'] = node
            if node.is_dir():
                for name, child in node.iterdir():
                    if name not in ('.', '..'): walk(child, path + '/' + name if path else name)
        walk(QNXFS(open(sys.argv[1], 'rb')).root, '')
        for path in sorted(found, key=os.fsencode):
            node = found[path]
            size, content = node.size, b'-'
            if stat.S_ISDIR(node.mode): size = '-'
            elif stat.S_ISREG(node.mode):
                content = hashlib.sha256(node.open().read()).hexdigest().encode()
            elif stat.S_ISLNK(node.mode):
                content = b'->' + escaped(node.open().read().rstrip(b'\\0').decode(errors='surrogateescape'), b' ')
            line = '%06o - %d %d %d %s ' % (node.mode, node.uid, node.gid, node.mtime.timestamp(), size)
            sys.stdout.buffer.write(line.encode() + content + b' ' + escaped(path) + b'\\n')
        """

    private static func manifest(_ image: Word) throws -> [String] {
        let finished = try run([Card.secondReader, "-c", script, image], deadline: 300)
        try #require(finished.status == 0, "\(finished.errorText)")
        return finished.lines
    }

    private func expectSame(_ image: Word, _ scratch: Scratch) throws {
        let mount = try scratch.mount(image)
        let own = try Set(Manifest(mount.path, countsNames: false).lines)
        let other = try Set(Self.manifest(image))
        #expect(own.subtracting(other) == [] && other.subtracting(own) == [])
        #expect(own.count > 5)
        try mount.unmount()
    }

    @Test(arguments: ["qnx6-le.img", "qnx6-be.img", "qnx4.img"])
    func realVolumesAreReadAlike(name: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try expectSame(Word(Fixtures.sharedImage(name).path), scratch)
    }

    @Test func longNamesOfQNX4AreReadAlike() throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (tree, image) = (scratch / "tree", scratch / "image")
        let maker = try #require(Card.tool("make-qnx4"))
        try Card.must(
            """
            mkdir "$2"; for length in 16 17 48 49 100 254 255; do
                printf "$length" > "$2/$(printf 'n%.0s' $(seq $length))"
            done
            "$1" "$2" "$3" > /dev/null
            """, maker, tree, image)
        try expectSame(image, scratch)
    }

    /// Both superblocks are whole; the second is the newer one.
    @Test(arguments: ["--block-size", "--big-endian"] as [Word])
    func theNewerSuperblockIsReadAlike(option: Word) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let image = scratch / "image"
        let maker = try #require(Card.tool("make-qnx6"))
        let order: Word = option == "--big-endian" ? ">" : "<"
        try Card.must(
            """
            maker=$1; shift; "$maker" --demo "$1" > /dev/null
            if [ "$3" = "--big-endian" ]; then "$maker" "$1" "$2" --big-endian; else "$maker" "$1" "$2" --block-size 512; fi > /dev/null
            python3 - "$2" "$4" <<'END'
            import struct, sys
            path, order = sys.argv[1:]
            image = bytearray(open(path, 'rb').read())
            size, count = (struct.unpack_from(order + 'I', image, 0x2000 + at)[0] for at in (48, 60))
            place = 0x3000 + size * count
            serial = struct.unpack_from(order + 'Q', image, 0x2008)[0]
            struct.pack_into(order + 'Q', image, place + 8, serial + 1)
            total = 0
            for byte in image[place + 8:place + 512]:
                total ^= byte << 24
                for _ in range(8): total = total << 1 ^ (0x104c11db7 if total & 0x80000000 else 0)
            struct.pack_into(order + 'I', image, place + 4, total)
            open(path, 'wb').write(image)
            END
            """, maker, scratch / "tree", image, option, order)
        try expectSame(image, scratch)
        let mount = try scratch.mount(image)
        let (serial, first) = try (
            Calls.attribute("user.qnx6.serial", of: mount.path),
            Calls.contents(image)[0x2008..<0x2010]
        )
        let digits = option == "--big-endian" ? Array(first) : first.reversed()
        let number = digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(String(decoding: serial, as: UTF8.self) == "\(number + 1)")
    }
}

import Foundation
import TestSupport
import Testing

/// Where files lie in the target's memory: F056 to F061, F116 and F117.
struct MkifsPlacementTests {
    /// A board with programs whose text has these sizes.
    private func board(_ sizes: [String: Int]) throws -> Board {
        let board = try Board()
        for (name, size) in sizes {
            let program = ELFStandIn(.executable) {
                $0.text = [UInt8](repeating: 0x90, count: size)
            }
            try board.write(program.bytes, to: name, mode: 0o755)
        }
        return board
    }

    private static let sizes = ["large": 0x11940, "small": 0xd67c, "tiny": 100]

    /// The addresses of these programs in a bootable image, whose first file is procnto.
    private func addresses(_ board: Board, _ lines: String, _ names: [String]) throws -> [UInt64] {
        let image = try board.image(Board.boot() + "[search=.]\n" + lines)
        return try names.map { try image.address("proc/boot/" + $0) }
    }

    // MARK: Large pages

    @Test func largeProgramsLieOnTheLargestPageTheyFill() throws {
        let board = try board(Self.sizes)
        let lines = "tiny\nlarge\nsmall\n"
        let names = ["large", "small"]
        let plain = try addresses(board, lines, names)
        #expect(plain[0] % 0x10000 != 0 && plain[1] % 0x10000 != 0)
        let big = try addresses(board, "[+big_pages pagesizes=4k,64k,1m]\n" + lines, names)
        #expect(big[0] % 0x10000 == 0)
        #expect(big[1] % 0x10000 != 0 && big[1] % 0x1000 == 0)
        let off = try addresses(
            board, "[+big_pages pagesizes=4k,64k,1m]\ntiny\n[-big_pages] large\nsmall\n", names)
        #expect(off[0] % 0x10000 != 0)
    }

    @Test func aBootfileMayAskForLargePages() throws {
        let board = try board(Self.sizes)
        try board.write(
            "[vboot=0xfe000000 pagesizes=4k,64k +big_pages]",
            to: "target/x86_64/boot/sys/plain.boot")
        let found = try addresses(board, "tiny\nlarge\n", ["large"])
        #expect(found[0] % 0x10000 == 0)
    }

    @Test(arguments: ["1M,4K,64k", "64k,1m,4k", "0x10000,4096", "1g,64K"])
    func pageSizesStandInAnyOrder(_ list: String) throws {
        let board = try board(Self.sizes)
        let found = try addresses(
            board, "[+big_pages pagesizes=\(list)]\ntiny\nlarge\n", ["large"])
        #expect(found[0] % 0x10000 == 0)
    }

    @Test func anAlignmentOfTheFileTakesThePlaceOfLargePages() throws {
        let board = try board(Self.sizes)
        let found = try addresses(
            board,
            "[+big_pages pagesizes=4k,64k]\ntiny\n[phys_align=8k] large\n", ["large"])
        #expect(found[0] % 0x2000 == 0 && found[0] % 0x10000 != 0)
    }

    // MARK: Alignment

    @Test(arguments: [0x2000, 0x20000, 0x100000])
    func aFileLiesOnAMultipleOfItsAlignment(_ size: Int) throws {
        let board = try board(Self.sizes)
        let names = ["tiny", "small"]
        let found = try addresses(
            board, "large\n[phys_align=\(size / 1024)K] small\ntiny\n", names)
        #expect(found[1] % UInt64(size) == 0)
        #expect(found[0] % UInt64(size) != 0)
    }

    @Test func aGroupSharesItsBlocks() throws {
        let board = try Board()
        let names = ["liba", "libb", "libc", "libd"]
        for name in names {
            let library = ELFStandIn(.shared) {
                $0.address = 0
                $0.text = [UInt8](repeating: 0x90, count: 20_000)
            }
            try board.write(library.bytes, to: name)
        }
        let found = try addresses(
            board, "[phys_align=64k,group]\nliba\nlibb\nlibc\nlibd\n", names)
        #expect(found[0] % 0x10000 == 0)
        // Each takes six pages: two fit, the third begins a new block.
        #expect(found.map { $0 - found[0] } == [0, 0x6000, 0x10000, 0x16000])
    }

    @Test func anAlignmentOfZeroEndsTheGroup() throws {
        let board = try Board()
        for name in ["liba", "libb", "libc"] {
            let library = ELFStandIn(.shared) {
                $0.address = 0
                $0.text = [UInt8](repeating: 0x90, count: 50_000)
            }
            try board.write(library.bytes, to: name)
        }
        let names = ["liba", "libb", "libc"]
        let found = try addresses(
            board, "[phys_align=64k,group]\nliba\n[phys_align=0]\nlibb\nlibc\n", names)
        #expect(found.map { $0 - found[0] } == [0, 0xe000, 0x1c000])
        let grouped = try addresses(
            board, "[phys_align=64k,group]\nliba\nlibb\n", ["liba", "libb"])
        #expect(grouped[1] - grouped[0] == 0x10000)
    }

    // MARK: Pages

    @Test func dataLiesOnAPageOnlyWhenAskedTo() throws {
        let board = try Board()
        for name in ["one", "two", "three"] {
            try board.write([UInt8](repeating: 1, count: 5000), to: name)
        }
        let lines = "one\n[+page_align] two\n[+page_align +raw] three\n"
        for text in ["[search=.]\n", Board.boot() + "[search=. prefix=\"\"]\n"] {
            let image = try board.image(text + lines)
            #expect(try image.address("one") % 4096 != 0)
            #expect(try image.address("two") % 4096 == 0)
            #expect(try image.address("three") % 4096 == 0)
        }
    }

    @Test(arguments: [
        ELFStandIn(.executable), ELFStandIn(.shared) { $0.address = 0 },
        ELFStandIn(.executable) {
            $0.is64Bit = false
            $0.machine = 40
        },
    ])
    func programsAndLibrariesLieOnAPage(_ program: ELFStandIn) throws {
        let board = try Board()
        try board.write(program.bytes, to: "tool")
        try board.write([UInt8](repeating: 1, count: 100), to: "data")
        let image = try board.image("./data\ntool=./tool\n")
        #expect(try image.address("tool") == 0x1000)
        #expect(try image.address("data") < 0x1000)
    }
}

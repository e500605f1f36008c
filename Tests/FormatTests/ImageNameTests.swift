import Testing

@testable import Format

/// Which names say that a file is an image.
struct ImageNameTests {
    @Test(arguments: [
        "board.ifs", "BOARD.IFS", "x.y.ifs", "board.ifs.old", "board.ifs.bin.gz", "ifs-omap3.bin",
        "IFS-A", "qnx-ifs", "QNX-IFS", "qnx-ifs.bak", "QNX-IFS2", ".boot", ".altboot", ".Boot",
    ])
    func theseDo(name: String) { #expect(IFS.isImageName(Array(name.utf8))) }

    @Test(arguments: [
        "", ".", "..", "ifs", ".ifs", ".ifs.x", "boardifs", "board.ifsx", "xifs-1", "my-qnx-ifs",
        "boot", ".boots", "x.boot", "ifs.txt", "board.if", "board.i.fs",
    ])
    func theseDoNot(name: String) { #expect(!IFS.isImageName(Array(name.utf8))) }

    @Test func bytesThatAreNoTextAreCompared() {
        #expect(IFS.isImageName([0xff, 0x2e, 0x69, 0x66, 0x73]))
        #expect(!IFS.isImageName([0xff, 0xff]))
    }
}

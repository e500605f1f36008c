import Foundation
import TestSupport
import Testing

/// Linux's own drivers, in a machine of their own, as the judges of what a mount shows.
@Suite(
    .needsFuse, .enabled(if: Card.hasAll, "no ../shared/tools, mkfs.fat or mtools"),
    .enabled(if: Manifest.hasKernel, "no ../shared/tools/kernel-read, or no qemu"), .serialized,
    .timeLimit(.minutes(20)))
struct DiskKernelTests {
    /// Large trees: a file of three levels of pointers in blocks of 512 bytes, names of 255 bytes,
    /// thousands of files.
    private static func grow(_ scratch: Scratch) throws {
        let maker = try #require(Card.tool("make-qnx6"))
        try Card.must(
            """
            "$1" --demo "$2" > /dev/null; cd "$2"
            mkdir thousands; for number in $(seq 2000); do printf "$number" > "thousands/$number"; done
            for number in $(seq 100); do
                printf "$number" > "thousands/$number$(printf 'n%.0s' $(seq 200))"
            done
            printf x > "$(printf 'm%.0s' $(seq 255))"
            truncate -s 135M three; printf end >> three
            printf middle | dd of=three bs=1M seek=77 conv=notrunc status=none
            """, maker, scratch / "qnx6.tree")
    }

    private static let mbr = [
        Card.Part(sector: 2048, count: 32768, type: "6", contents: .fat(["-F16"])),
        Card.Part(
            sector: 36864, count: 311_296, type: "b3", contents: .qnx6(["--block-size", "512"])),
        Card.Part(sector: 350_000, count: 40000, type: "f", contents: .bytes([])),
        Card.Part(
            sector: 352_256, count: 16384, type: "4f", contents: .qnx4(["--fragment", "1"])),
    ]
    private static let gpt = [
        Card.Part(
            sector: 2048, count: 81920, type: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
            contents: .fat(["-F32", "-s1"]), name: "boot"),
        Card.Part(
            sector: 86016, count: 311_296, type: "CEF5A9AD-73BC-4601-89F3-CDEEEEE321A1",
            contents: .qnx6(["--big-endian", "--block-size", "4096"])),
    ]

    /// Of FAT, QNX 6 and QNX 4, a mount shows what Linux does, line for line; in QNX 6, Linux counts no
    /// names.
    @Test(arguments: ["dos", "gpt"])
    func aMountShowsWhatLinuxDoes(label: String) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        try Self.grow(scratch)
        let card = try Card.make(
            scratch, label == "gpt" ? Self.gpt : Self.mbr, label: label, sectors: 400_000)
        let mount = try scratch.mount(card, deadline: 500)
        let names = try Calls.names(mount.path)
        let types: [(Int, Word, Word, Word?)] =
            label == "gpt"
            ? [(1, "p1-fat32", "vfat", "utf8=1,tz=UTC"), (2, "p2-qnx6", "qnx6", nil)]
            : [
                (1, "p1-fat16", "vfat", "utf8=1,tz=UTC"), (2, "p2-qnx6", "qnx6", nil),
                (5, "p5-qnx4", "qnx4", nil),
            ]
        #expect(names == types.map(\.1))
        for (number, name, type, options) in types {
            let kernel = try Manifest.kernel(card, partition: number, type, options: options)
            let own = try Manifest(mount / name, countsNames: type != "qnx6")
            own.expectSame(as: kernel, "\(name)")
            let alone = try scratch.mount(card, Word("partition=\(number)"), at: "alone")
            let found = try Calls.statistics(alone.path)
            for (field, count) in [("blocks", found.f_blocks), ("bfree", found.f_bfree)] {
                let unit = try #require(kernel.statistics["bsize"])
                let other = try #require(kernel.statistics[field])
                let distance = Int(count) * Int(found.f_frsize) - Int(other * unit)
                #expect(abs(distance) < Int(found.f_frsize), "\(name): \(field)")
            }
            try alone.unmount()
        }
        // Whatever was read: what disks keep, and 16 MiB.
        #expect(Daemon(id: mount.server.id).anonymousMemory < 80 << 20)
    }
}

/// What a linker has to be able to do, and under which names one that can is known.
struct LinkerTarget: Equatable, Sendable {
    /// `e_machine`.
    let machine: UInt16
    /// The byte order.
    let isBigEndian: Bool

    /// What linkers call the format, as for their option `-m`: lld's name first, then those of GNU ld.
    var emulations: [String] { known?.emulations ?? [] }

    /// What linkers for this machine alone have before `-ld` in their names: QNX's, then GNU's.
    var prefixes: [String] { known?.prefixes ?? [] }

    private typealias Names = (emulations: [String], prefixes: [String])

    // Sources: the QNX SDPs' bin directories; binutils' `ld/emulparams`; lld's `ELF/Driver.cpp`;
    // Debian's and Arm's package names.
    private var known: Names? {
        switch (machine, isBigEndian) {
        case (3, false), (6, false): Self.x86
        case (8, true): Self.mipsBig
        case (8, false): Self.mipsLittle
        case (20, true): Self.powerPC
        case (40, true): Self.armBig
        case (40, false): Self.armLittle
        case (42, true): Self.superHBig
        case (42, false): Self.superHLittle
        case (62, false): Self.x86Wide
        case (183, false): Self.armWide
        default: nil
        }
    }

    private static let x86: Names = (
        ["elf_i386", "i386nto"],
        ["ntox86", "i686-linux-gnu", "i586-linux-gnu", "i386-linux-gnu", "i686-elf", "i386-elf"]
    )
    private static let x86Wide: Names = (
        ["elf_x86_64"], ["ntox86_64", "x86_64-linux-gnu", "x86_64-elf"]
    )
    private static let armLittle: Names = (
        ["armelf_linux_eabi", "armelf", "armnto"],
        [
            "ntoarmv7", "ntoarm", "arm-none-eabi", "arm-linux-gnueabi", "arm-linux-gnueabihf",
            "arm-linux-gnu",
        ]
    )
    private static let armBig: Names = (
        // The last is for either byte order, with -EB; so is armelf, but to lld it is little endian.
        ["armelfb_linux_eabi", "armelfb", "armnto"],
        ["ntoarm", "armeb-linux-gnueabi", "arm-none-eabi", "arm-linux-gnueabi", "arm-linux-gnu"]
    )
    private static let armWide: Names = (
        ["aarch64linux", "aarch64elf", "aarch64nto"],
        ["ntoaarch64", "aarch64-linux-gnu", "aarch64-none-elf", "aarch64-elf"]
    )
    private static let powerPC: Names = (
        ["elf32ppclinux", "elf32ppc", "elf32ppcnto"],
        ["ntoppc", "powerpc-linux-gnu", "powerpc-eabi", "powerpc-elf"]
    )
    private static let mipsBig: Names = (
        ["elf32btsmip", "elf32ebmip"], ["ntomips", "mips-linux-gnu", "mips-elf"]
    )
    private static let mipsLittle: Names = (
        ["elf32ltsmip", "elf32elmip"], ["ntomips", "mipsel-linux-gnu", "mipsel-elf"]
    )
    private static let superHBig: Names = (
        ["shelf_linux", "shelf", "shelf_nto"], ["ntosh", "sh4eb-linux-gnu", "sh-elf"]
    )
    private static let superHLittle: Names = (
        ["shlelf_linux", "shlelf", "shlelf_nto"], ["ntosh", "sh4-linux-gnu", "sh-elf"]
    )
}

internal import Format

/// The rows that profiles are made of: the values of 6.4, 6.6, 7.0, 7.1 and 8.0.
///
/// There are golden images of 6.4, and real ones of 6.4, 6.6 and 8.0; one of 6.5 is what 6.6 makes.
/// Of 7.0 there are documents. 7.1 follows 7.0, for want of anything better.
enum ProfileTable {
    // MARK: Buildfile

    static let optional = ProfileRow(
        "missing host file",
        .proved(true), .documented(true), .documented(true), .assumed(true), .documented(false),
        "warning", "error")
    static let processor = ProfileRow<String>(
        "processor where none is named",
        .assumed("x86"), .assumed("x86"), .documented("x86_64"), .assumed("x86_64"),
        .documented("x86_64")
    ) { $0 }
    static let imageBase = ProfileRow<UInt64>(
        "address where neither image= nor the bootfile has one",
        .documented(0), .documented(0), .documented(4 << 20), .assumed(4 << 20),
        .documented(4 << 20)
    ) { hex($0) }
    static let ownedByRoot = ProfileRow(
        "owner and group by default",
        .seen(false), .seen(false), .documented(false), .documented(false), .documented(true),
        "0:0", "the host's")
    static let duplicates = ProfileRow(
        "target that comes twice",
        .documented(true), .assumed(true), .assumed(false), .documented(false), .documented(false),
        "two entries", "one entry; an error where they differ")
    static let data = ProfileRow<SegmentUse>(
        "data= by default",
        .proved(.inPlace), .documented(.inPlace), .assumed(.copy), .assumed(.copy), .assumed(.copy)
    ) { $0 == .inPlace ? "uip" : "copy" }

    // MARK: Permissions

    static let sticky = ProfileRow<Profile.Sticky>(
        "sticky bit",
        .proved(.executableFiles), .seen(.executableFiles), .assumed(.programs),
        .assumed(.programs), .seen(.asFound)
    ) { sticky in
        switch sticky {
        case .executableFiles: "every executable file, and link, that is not run once"
        case .programs: "every program that is not run once"
        case .asFound: "the host's"
        }
    }
    static let executables = ProfileRow<Profile.Executables>(
        "x bits of ELF files",
        .assumed(.none), .documented(.programs), .documented(.all), .assumed(.all), .seen(.all)
    ) { executables in
        switch executables {
        case .none: "where a linker made them, else the host's"
        case .programs: "where a linker made them, and for programs, else the host's"
        case .all: "always"
        }
    }
    static let linksTakePermissions = ProfileRow(
        "permissions of a shared object's link",
        .proved(true), .seen(true), .assumed(true), .assumed(true), .seen(false),
        "the object's", "0777")
    static let scriptMode = ProfileRow<UInt16>(
        "permissions of a script",
        .seen(0o666), .seen(0o666), .documented(0o666), .documented(0o666), .seen(0o644)
    ) { "0" + String($0, radix: 8) }

    // MARK: Image

    static let order = ProfileRow<Profile.Order>(
        "order of the directory",
        .proved(.ofData), .seen(.ofData), .documented(.ofData), .assumed(.ofData), .seen(.byPath)
    ) { $0 == .byPath ? "bootstrap executables, then by path" : "that of the data" }
    static let parents = ProfileRow(
        "directories that no line names",
        .proved(false), .seen(false), .documented(false), .documented(false), .seen(true),
        "entries, 0755 and 0:0", "no entries")
    static let digests = ProfileRow(
        "ends of startup and image",
        .proved(false), .seen(false), .documented(false), .assumed(false), .seen(true),
        "SHA-512 and sum", "sum")
    static let bootArguments = ProfileRow<IFS.BootArguments.Form>(
        "size of a boot program's command line",
        .seen(.counted), .seen(.counted), .assumed(.counted), .assumed(.counted), .seen(.exact)
    ) { $0 == .counted ? "with one more NUL" : "that of the strings" }
    static let linksAreAligned = ProfileRow(
        "place of a shared object's link where pages are large",
        .assumed(false), .seen(true), .assumed(true), .assumed(true), .assumed(true),
        "on a page as large as the object's", "right behind the object")

    static let datesDirectories = ProfileRow(
        "time of a directory that the host has not got",
        .seen(false), .assumed(false), .assumed(true), .assumed(true), .seen(true),
        "that of the build", "0")

    // MARK: ELF files

    static let keptSections = ProfileRow<[String]>(
        "sections that are kept",
        .proved(["QNX_Phab", "QNX_info", "QNX_usage"]),
        .seen(["QNX_Phab", "QNX_info", "QNX_usage"]),
        .documented([".gnu_debuglink", "QNX_info", "QNX_usage"]),
        .assumed([".gnu_debuglink", "QNX_info", "QNX_usage"]),
        .seen([".gnu_debuglink", "QNX_info", "QNX_usage", ".note.gnu.build-id"])
    ) { $0.joined(separator: " ") }
    static let bootstrapsKeepSections = ProfileRow(
        "sections of bootstrap executables",
        .proved(false), .seen(false), .documented(false), .assumed(false), .seen(true),
        "kept as those of others", "kept by keepsection= only")
    static let addsNamedSections = ProfileRow(
        "sections of -s",
        .documented(false), .documented(true), .documented(true), .assumed(true), .documented(true),
        "besides these", "in place of these")
    static let otherHeaders = ProfileRow<ELFLayout.Dialect.OtherHeaders>(
        "program headers that are not of segments that are stored",
        .seen(.voided), .seen(.kept), .assumed(.kept), .assumed(.kept), .seen(.moved)
    ) { headers in
        switch headers {
        case .voided: "PT_NULL, but for DYNAMIC, INTERP, PHDR"
        case .kept: "as in the source"
        case .moved: "with new offsets and addresses; notes as well"
        }
    }
    static let useInPlace = ProfileRow<ELFLayout.Dialect.UseInPlace>(
        "code= and data=",
        .proved(.asTold), .seen(.asTold), .assumed(.asTold), .assumed(.asTold), .seen(.always)
    ) { $0 == .asTold ? "decide what is used in place" : "change nothing: all is used in place" }
    static let runOnce = ProfileRow<ELFLayout.Dialect.RunOnce>(
        "files marked as run once",
        .proved(.all), .seen(.all), .assumed(.butMovable), .assumed(.butMovable), .seen(.none)
    ) { runOnce in
        switch runOnce {
        case .all: "all that write to the image"
        case .butMovable: "those that write to the image, but for programs that run anywhere"
        case .none: "none"
        }
    }
    static let sections = ProfileRow<ELFLayout.Dialect.Sections>(
        "order of kept sections",
        .proved(.reversed), .seen(.reversed), .assumed(.reversed), .assumed(.reversed),
        .seen(.inOrder)
    ) { $0 == .reversed ? "reversed, their names last" : "the source's, their names first" }
    static let measuresInAdvance = ProfileRow(
        "size of a program whose first segment covers its header",
        .proved(true), .seen(true), .assumed(true), .assumed(true), .seen(false),
        "up to one alignment too large", "true")
}

extension Profile {
    /// All topics in which releases differ: what the manual's table is written from.
    public static let table: [ProfileLine] = [
        ProfileTable.optional.line, ProfileTable.processor.line, ProfileTable.imageBase.line,
        ProfileTable.ownedByRoot.line, ProfileTable.duplicates.line, ProfileTable.data.line,
        ProfileTable.sticky.line, ProfileTable.executables.line,
        ProfileTable.linksTakePermissions.line, ProfileTable.scriptMode.line,
        ProfileTable.order.line, ProfileTable.parents.line, ProfileTable.digests.line,
        ProfileTable.bootArguments.line, ProfileTable.linksAreAligned.line,
        ProfileTable.datesDirectories.line,
        ProfileTable.keptSections.line, ProfileTable.bootstrapsKeepSections.line,
        ProfileTable.addsNamedSections.line, ProfileTable.otherHeaders.line,
        ProfileTable.useInPlace.line, ProfileTable.runOnce.line, ProfileTable.sections.line,
        ProfileTable.measuresInAdvance.line,
    ]
}

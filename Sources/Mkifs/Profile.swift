public import Format

/// What differs between the releases whose images are made: one row of a table.
///
/// How sure each fact is stands in mkifs(1): proved by bytes for 6.4, seen in images for 6.6 and 8.0,
/// documented or assumed for the rest.
public struct Profile: Sendable {
    /// The release.
    public let release: Release
    /// Whether a missing host file is only a warning, unless `optional` says otherwise.
    public let isOptional: Bool
    /// The processor where neither `virtual=` nor PROCESSOR names one.
    public let processor: String
    /// Where an image starts that neither `image=` nor its bootfile places.
    public let imageBase: UInt64
    /// Sections of ELF files that stripping leaves.
    public let keptSections: [String]
    /// Whether startup and image end in a SHA-512 and a sum.
    public let hasDigests: Bool
    /// Whether the directory is sorted by path, and says so.
    public let isSorted: Bool
    /// How command lines are written into boot programs.
    public let bootArguments: IFS.BootArguments.Form
    /// What becomes of ELF files.
    public let elf: ELFLayout.Dialect
    /// Which files get the sticky bit.
    public let sticky: Sticky
    /// Whether the link to a shared object has the permissions of the object; else 0777.
    public let linksTakePermissions: Bool
    /// The permission bits of a script.
    public let scriptMode: UInt16
    /// Whether owner and group are 0 unless said otherwise; else the host file's.
    public let isOwnedByRoot: Bool
    /// Whether a target that comes twice is two entries; else the later one replaces the earlier.
    public let keepsDuplicates: Bool
    /// Whether every ELF program that is laid out gets its x bits, linked or not.
    public let programsAreExecutable: Bool

    /// Which files get the sticky bit, which tells the target that a program can be run many times.
    public enum Sticky: Sendable {
        /// Everything with an x bit that is not run once.
        case executableFiles
        /// Programs that are laid out and whose data is copied.
        case programs
        /// What the host's file has.
        case asFound
    }

    /// The row of a release.
    public init(_ release: Release) {
        let is6 = release < .v70
        let is8 = release >= .v80
        self.release = release
        isOptional = !is8
        processor = is6 ? "x86" : "x86_64"
        imageBase = is6 ? 0 : 0x40_0000
        keptSections =
            switch release {
            case .v64, .v66: ["QNX_Phab", "QNX_info", "QNX_usage"]
            case .v70, .v71: [".gnu_debuglink", "QNX_info", "QNX_usage"]
            case .v80: [".gnu_debuglink", "QNX_info", "QNX_usage", ".note.gnu.build-id"]
            }
        hasDigests = is8
        isSorted = is8
        bootArguments = is8 ? .exact : .counted
        elf = release == .v64 ? .v64 : is8 ? .v80 : .v66
        sticky = is6 ? .executableFiles : is8 ? .asFound : .programs
        linksTakePermissions = !is8
        scriptMode = is8 ? 0o644 : 0o666
        isOwnedByRoot = is8
        keepsDuplicates = is6
        programsAreExecutable = !is6
    }
}

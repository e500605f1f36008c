public import Format

/// What differs between the releases whose images are made. Each value is a row of `ProfileTable`, which
/// says how it is known, too.
public struct Profile: Sendable {
    /// The release.
    public let release: Release

    /// The profile of a release.
    public init(_ release: Release) { self.release = release }

    // MARK: Buildfile

    /// Whether a missing host file is only a warning, unless `optional` says otherwise.
    public var isOptional: Bool { ProfileTable.optional[release] }
    /// The processor where neither `virtual=` nor PROCESSOR names one.
    public var processor: String { ProfileTable.processor[release] }
    /// Where an image starts that neither `image=` nor its bootfile places.
    public var imageBase: UInt64 { ProfileTable.imageBase[release] }
    /// Whether owner and group are 0 unless said otherwise; else the host file's.
    public var isOwnedByRoot: Bool { ProfileTable.ownedByRoot[release] }
    /// Whether a target that comes twice is two entries; else the later one replaces the earlier.
    public var keepsDuplicates: Bool { ProfileTable.duplicates[release] }
    /// How programs use their data where neither `data=` nor `ram=` says it.
    public var data: SegmentUse { ProfileTable.data[release] }

    // MARK: Permissions

    /// Which files get the sticky bit, which tells the target that a program can be run many times.
    public enum Sticky: Sendable {
        /// Everything with an x bit that is not run once.
        case executableFiles
        /// Programs that are laid out and not run once.
        case programs
        /// What the host's file has.
        case asFound
    }

    /// Which files get the sticky bit.
    public var sticky: Sticky { ProfileTable.sticky[release] }
    /// Which ELF files that are laid out get x bits without being linked.
    public enum Executables: Sendable {
        case none
        /// All but shared objects.
        case programs
        case all

        func includes(_ file: ELFFile) -> Bool {
            switch self {
            case .none: false
            case .programs: !file.isLibrary
            case .all: true
            }
        }
    }

    /// Which ELF files get x bits.
    public var executables: Executables { ProfileTable.executables[release] }
    /// Whether the link to a shared object has the permissions of the object; else 0777.
    public var linksTakePermissions: Bool { ProfileTable.linksTakePermissions[release] }
    /// The permission bits of a script.
    public var scriptMode: UInt16 { ProfileTable.scriptMode[release] }

    // MARK: Image

    /// In which order the directory is.
    public enum Order: Sendable {
        /// That of the data; the header does not call it sorted.
        case ofData
        /// Bootstrap executables as they are started, then the rest by path. The header calls it
        /// sorted.
        case byPath
    }

    /// In which order the directory is.
    public var order: Order { ProfileTable.order[release] }
    /// Whether directories above an entry have entries of their own, though no line names them.
    public var listsParents: Bool { ProfileTable.parents[release] }
    /// Whether startup and image end in a SHA-512 and a sum; else in a sum.
    public var hasDigests: Bool { ProfileTable.digests[release] }
    /// How command lines are written into boot programs.
    public var bootArguments: IFS.BootArguments.Form { ProfileTable.bootArguments[release] }
    /// Whether the link to a shared object begins on the large page that the object would.
    public var linksAreAligned: Bool { ProfileTable.linksAreAligned[release] }

    /// Whether a directory that the host has not got has the time of the build; else 0.
    public var datesDirectories: Bool { ProfileTable.datesDirectories[release] }

    // MARK: ELF files

    /// Sections that stripping leaves.
    public var keptSections: [String] { ProfileTable.keptSections[release] }
    /// Whether they stay in bootstrap executables, too.
    public var bootstrapsKeepSections: Bool { ProfileTable.bootstrapsKeepSections[release] }
    /// Whether `-s` adds to them; else it takes their place.
    public var addsNamedSections: Bool { ProfileTable.addsNamedSections[release] }
    /// What becomes of ELF files.
    public var elf: ELFLayout.Dialect {
        ELFLayout.Dialect(
            otherHeaders: ProfileTable.otherHeaders[release],
            useInPlace: ProfileTable.useInPlace[release],
            runOnce: ProfileTable.runOnce[release],
            sections: ProfileTable.sections[release],
            measuresInAdvance: ProfileTable.measuresInAdvance[release])
    }
}

public import Format

/// What the attributes of the whole image say. The last one wins, wherever it stands.
public struct ImageAttributes: Equatable, Sendable {
    /// The byte order; nil until something says it.
    public var isBigEndian: Bool?
    /// Where the next image lies.
    public var chain: UInt32?
    /// How the image is packed; nil until something says it.
    public var compression: IFS.Compression?
    /// Where the image lies; nil without `image=`.
    public var range: AddressRange?
    /// Where its RAM lies; nil without `ram=`, and the image is used where it was loaded.
    public var ram: AddressRange?
    /// Linkers in the order in which they were given; the last is tried first.
    public var linkers: [[UInt8]] = []
    /// The mountpoint; nil without `mount=`.
    public var mount: [UInt8]?
    /// The page sizes that large files may be aligned to.
    public var pageSizes: [UInt64] = []
    /// What is done about libraries that nobody named; nil without `autoso=`.
    public var missingLibraries: MissingLibraries?

    /// Nothing said.
    public init() {}
}

/// What the attributes say of one entry.
public struct EntryAttributes: Equatable, Sendable {
    /// The owner.
    public var user: Owner = .host
    /// The group.
    public var group: Owner = .host
    /// The permission bits of all but directories.
    public var permissions: Permissions = .host
    /// The permission bits of directories. `rwxr-xr-x` is added where nothing is said.
    public var directoryPermissions = Permissions(mask: Permissions.all, set: 0o755)
    /// The modification time.
    public var time: FileTime = .host
    /// What kind of entry the line makes.
    public var type: EntryType = .file
    /// What a relative target is put below; nil for the image's default.
    public var prefix: [UInt8]?
    /// Where host files are looked for, with colons between; nil for `${MKIFS_PATH}`.
    public var search: [UInt8]?
    /// The directory of the host that relative names begin at; nil for the current one.
    public var directory: [UInt8]?
    /// The command that a file is sent through.
    public var filter: [UInt8]?
    /// Whether symbolic links of the host are followed.
    public var followsLinks = true
    /// Whether a missing host file is no error.
    public var isOptional: Bool
    /// Whether a shared object gets its link.
    public var autolink = true
    /// Whether a file is stored untouched.
    public var isRaw = false
    /// Whether the file is a script for the process manager.
    public var isScript = false
    /// Whether the file is a further buildfile.
    public var isInclude = false
    /// Whether a target that exists already is passed over.
    public var ignoresDuplicates = false
    /// Whether large files are aligned to large pages; nil for as the bootfile says.
    public var bigPages: Bool?
    /// Whether data begins on a page.
    public var pageAlign = false
    /// The alignment in memory; nil without `phys_align=`.
    public var physicalAlignment: PhysicalAlignment?
    /// Whether code runs where it lies.
    public var code: SegmentUse = .inPlace
    /// Whether data is used where it lies.
    public var data: SegmentUse
    /// Whether relocation segments are kept; nil where nothing is said.
    public var keepsRelocations: Bool?
    /// Whether the linker's output is kept.
    public var keepLinked = false
    /// The sections that stripping leaves; nil for the default ones.
    public var keptSections: [[UInt8]]?
    /// The kernel modules that the boot executable is linked with.
    public var modules: [[UInt8]] = []
    /// What the POSIX `cksum` of the host's file must be.
    public var cksum: UInt32?
    /// What the SHA-256 of the host's file must be.
    public var sha256: [UInt8]?
    /// What the SHA-512 of the host's file must be.
    public var sha512: [UInt8]?
    /// The value of `drop=`, whose meaning no document gives.
    public var drop: [UInt8]?
    /// The bootfile, on the line of the boot section.
    public var virtual: Bootfile?
    /// The same for an image without virtual memory, which no release has implemented.
    public var physical: Bootfile?

    /// The defaults of a release.
    public init(defaultsOf release: Release) {
        let profile = Profile(release)
        isOptional = profile.isOptional
        data = profile.data
    }
}

/// What the modifiers of a script's line say.
public struct ScriptModifiers: Equatable, Sendable {
    /// The command's own name for itself; nil for the name of its file.
    public var argv0: [UInt8]?
    /// The processor it has to run on; nil for any.
    public var processor: UInt8?
    /// The priority; nil for that of its parent.
    public var priority: Priority?
    /// Whether it is for the kernel debugger.
    public var isDebug = false
    /// Whether the name of a built-in means a file.
    public var isExternal = false
    /// Whether it leads a session.
    public var isSession = false
    /// The adaptive partition.
    public var partition: [UInt8]?

    /// Nothing said.
    public init() {}
}

/// All that attributes say at one place.
struct AttributeValues: Equatable, Sendable {
    var image = ImageAttributes()
    var entry: EntryAttributes
    var modifiers = ScriptModifiers()

    init(_ entry: EntryAttributes) { self.entry = entry }
}

/// What a build is told besides its buildfile.
public struct BuildOptions: Sendable {
    /// Which times become 0, so that builds repeat.
    public enum Times: Sendable {
        /// None.
        case kept
        /// Those of what the build itself makes: inline files, scripts, links, the root.
        case zeroGenerated
        /// All but those that `mtime=` gives.
        case zero
    }

    /// How many bootstrap executables an image may have.
    public enum BootstrapLimit: Sendable {
        /// Four: as many as the image header names.
        case four
        /// More, with a warning.
        case warned
        /// More.
        case none
    }

    /// Where the files are that a buildfile names.
    public enum Files: Sendable {
        /// On the host.
        case host
        /// On the host, where some have attributes that it could not take: by what tells a file from
        /// all others there.
        case keeping(@Sendable (_ device: UInt64, _ inode: UInt64) -> HostAttributes?)
        /// In memory: the bytes of each path, nil where there is no file. Programs that are run on
        /// files do not find them.
        case provided(@Sendable (_ path: [UInt8]) -> [UInt8]?)
    }

    /// The release whose rules hold.
    public var release: Release
    /// The environment's variables.
    public var environment: [[UInt8]: [UInt8]] = [:]
    /// Times of files.
    public var times: Times = .kept
    /// Now, in seconds since 1970.
    public var buildTime: UInt32 = 0
    /// A root that is searched before QNX_TARGET.
    public var root: [UInt8]?
    /// Further sections of ELF files that stay.
    public var keptSections: [[UInt8]] = []
    /// Whether hard links of the host are hard links in the image.
    public var keepsHardLinks = false
    /// How many bootstrap executables there may be.
    public var bootstraps: BootstrapLimit = .four
    /// What the names of kept linked files end in, before `.sym`.
    public var suffix: [UInt8]?
    /// Where by-products go.
    public var outputDirectory: [UInt8]?
    /// Packs faster, and not as small.
    public var isFast = false
    /// Is told each place where a file of the host is looked for, and whether it is there.
    public var tellSearch: (@Sendable ([UInt8], Bool) -> Void)?
    /// Where files are looked for.
    public var files = Files.host
    /// Only looks whether the image could be built: nothing is run, and missing files are counted.
    public var isCheck = false

    /// The defaults.
    public init(_ release: Release) { self.release = release }
}

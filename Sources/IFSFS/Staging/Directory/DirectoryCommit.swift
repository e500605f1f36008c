internal import Format
internal import Glibc
internal import Mkifs

/// Builds the image of a directory that was changed, as the command `mkifs BUILDFILE DIRECTORY IMAGE`
/// does where the directory stands first in MKIFS_PATH.
public final class DirectoryCommit: Commit {
    private let fileSystem: DirectoryFileSystem
    private let directory: [UInt8]
    private let buildfile: [UInt8]?
    private let target: [UInt8]
    private let backup: [UInt8]?
    private let report: @Sendable (String) -> Void
    private let environment = BuildEnvironment.ofProcess()
    /// The directory that relative names of a buildfile start in.
    private let workingDirectory: Int32

    /// The commits of the directory at a path. The image goes to `target`; `backup` keeps an old one.
    /// Names in the buildfile start in the present working directory, and the environment is the present
    /// one. `report` is told warnings.
    public init(
        of directory: [UInt8], _ fileSystem: DirectoryFileSystem, buildfile: [UInt8]?,
        target: [UInt8], backup: [UInt8]? = nil, report: @escaping @Sendable (String) -> Void
    ) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.buildfile = buildfile
        self.target = target
        self.backup = backup
        self.report = report
        workingDirectory = unsafe open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    deinit { if workingDirectory >= 0 { close(workingDirectory) } }

    /// Whether anything was changed since the image was made.
    public var hasEdits: Bool { fileSystem.isChanged }

    /// Builds the image if anything was changed, or if there is none; whatever has its name is
    /// replaced.
    public func run(
        isLast: Bool = false, isForced: Bool = false,
        progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        try fileSystem.gate.hold { () throws(CommitError) in
            guard fileSystem.isChanged || !NewImage.isThere(target) else { return .unchanged }
            try requireSameDirectory()
            try inWorkingDirectory { () throws(CommitError) in try build(progress) }
            do throws(FileSystemError) {
                try fileSystem.didSave()
            } catch {
                throw CommitError(
                    "\(printable(target)): the image was made, but the stage cannot be told:"
                        + " \(error); the next mount makes it again")
            }
            return .written
        }
    }

    /// Throws: an image that is built anew has no holes.
    public func compact(
        progress: @escaping (UInt64, UInt64) -> Void
    ) throws(CommitError) -> CommitOutcome {
        throw CommitError(
            "\(printable(target)): found an image that is built anew each time,"
                + " expected one that is changed")
    }

    private func requireSameDirectory() throws(CommitError) {
        var (one, other) = (stat(), stat())
        guard unsafe fstat(fileSystem.tree.root, &one) == 0,
            unsafe stat(cString(directory), &other) == 0, one.st_dev == other.st_dev,
            one.st_ino == other.st_ino
        else {
            throw CommitError(
                "\(printable(directory)): found another directory than the one that was mounted,"
                    + " expected nobody else to move it")
        }
    }

    /// What a process in the background has as its working directory is nobody's.
    private func inWorkingDirectory(
        _ body: () throws(CommitError) -> Void
    ) throws(CommitError) {
        let before = unsafe open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer {
            if before >= 0 {
                _ = fchdir(before)
                close(before)
            }
        }
        guard before >= 0, workingDirectory >= 0, fchdir(workingDirectory) == 0 else {
            throw CommitError("go to the directory that names start in", directory, errno: errno)
        }
        try body()
    }

    // MARK: Building

    private func build(_ progress: @escaping (UInt64, UInt64) -> Void) throws(CommitError) {
        let toolbox = Toolbox(environment: environment.strings)
        var build = Build(try options(), toolbox)
        if let buildfile { build.resolver.add(try text(of: buildfile)) }
        build.resolver.add(directory: directory)
        let plan: Plan
        let image: LaidOutImage
        do throws(MkifsError) {
            plan = try build.plan()
            image = try build.layout(plan)
        } catch {
            throw Self.fault(error)
        }
        for warning in build.resolver.diagnostics.kept { report(warning.description) }
        try requireOtherInput(plan, build.resolver.dependencies)
        // A killed server may have left one.
        NewImage.removeLeftovers(of: target)
        let file = try NewImage(beside: target, isNamed: plan.filter != nil)
        try file.write(image, progress)
        if let filter = plan.filter {
            do throws(MkifsError) {
                try toolbox.run(filter, on: file.name, headerOffset: image.headerOffset)
            } catch {
                throw Self.fault(error)
            }
            try file.reopen()
        }
        try file.takeAttributes()
        if let backup { try file.keepOld(as: backup) }
        try file.takePlace()
    }

    private func options() throws(CommitError) -> BuildOptions {
        let kept: [HostNode.Identity: HostAttributes]
        do throws(FileSystemError) {
            kept = try fileSystem.keptAttributes()
        } catch {
            throw CommitError("\(printable(directory)): \(error)")
        }
        do throws(MkifsError) {
            var options = try environment.options(environment.release())
            options.searchFirst(directory)
            options.files = .keeping { kept[HostNode.Identity(device: $0, inode: $1)] }
            return options
        } catch {
            throw Self.fault(error)
        }
    }

    private func text(of path: [UInt8]) throws(CommitError) -> SourceText {
        let file = unsafe open(cString(path), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw CommitError("open", path, errno: errno) }
        do throws(FormatError) {
            let source = try FileSource(taking: file)
            return SourceText(
                name: printable(path), bytes: try source.bytes(source.byteCount, at: 0, "buildfile")
            )
        } catch {
            throw CommitError("\(printable(path)): \(error)")
        }
    }

    /// Throws where the image would take the place of a file that it is made from.
    private func requireOtherInput(
        _ plan: Plan, _ dependencies: [[UInt8]]
    ) throws(CommitError) {
        let inputs = [buildfile].compactMap { $0 } + dependencies + plan.hostFiles
        guard Build.replaces(target, anyOf: inputs) else { return }
        throw CommitError(
            "\(printable(target)): found a file that the image is made from,"
                + " expected another for the image")
    }

    /// The first fault in one line, and how many there are besides.
    private static func fault(_ error: MkifsError) -> CommitError {
        guard case .buildfile(let errors, let omitted) = error, let first = errors.first else {
            return CommitError(error.description)
        }
        let more = errors.count - 1 + omitted
        let rest = more == 0 ? "" : "; and \(more) more error\(more == 1 ? "" : "s")"
        return CommitError(first.description + rest)
    }
}

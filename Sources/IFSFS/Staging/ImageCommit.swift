public import Format
internal import Glibc
internal import Mkifs

/// An image that is open, and how it can be told whether its file is still the same.
public struct OpenedImage: Sendable {
    /// Its tree.
    public let volume: IFS.ImageVolume
    /// Whether the file was written, truncated or replaced since.
    public let hasChanged: @Sendable () -> Bool
    /// Is called once when it has.
    public let report: @Sendable () -> Void

    /// An image of a tree.
    public init(
        _ volume: IFS.ImageVolume, hasChanged: @escaping @Sendable () -> Bool,
        report: @escaping @Sendable () -> Void
    ) {
        self.volume = volume
        self.hasChanged = hasChanged
        self.report = report
    }
}

/// Makes a new image of the one that is mounted and the edits on it, and puts it in its place: at every
/// instant there is the old one or the new one.
public final class ImageCommit: Commit {
    /// Where the new image goes.
    public let target: [UInt8]
    private let source: [UInt8]
    private let number: Int
    private let fileSystem: StagedFileSystem
    private let backup: [UInt8]?
    private let open: @Sendable () throws(CommitError) -> OpenedImage
    private let state: Lock<State>
    private var replacesImage: Bool { target == source }

    private struct State {
        var image: OpenedImage
        /// How often the tree had been changed when it was last saved.
        var savedChanges: UInt64 = 0
    }

    /// The commits of a staged image, the `number`th of the file `source`. The new one takes its place,
    /// unless it goes to `target`; `backup` keeps the old one. After a commit `open` is asked for the
    /// image again.
    public init(
        of image: OpenedImage, _ fileSystem: StagedFileSystem, source: [UInt8], number: Int,
        target: [UInt8]? = nil, backup: [UInt8]? = nil,
        open: @escaping @Sendable () throws(CommitError) -> OpenedImage
    ) {
        self.fileSystem = fileSystem
        self.source = source
        self.number = number
        self.target = target ?? source
        self.backup = backup
        self.open = open
        state = Lock(State(image: image))
    }

    /// Why no image can be made of this one and edits; nil where one can.
    public static func obstacle(_ volume: IFS.ImageVolume) -> String? {
        do throws(MkifsError) {
            try RevisedPlan.check(volume.image)
            return nil
        } catch {
            return error.description
        }
    }

    /// Where the edits on an image are kept unless somebody says otherwise: beside it.
    public static func stagePath(of image: [UInt8]) -> [UInt8] {
        NewImage.hidden(image, ".stage")
    }

    /// What edits are of: the `number`th image of a file.
    public static func origin(of path: [UInt8], _ number: Int) -> [UInt8] {
        Array("number \(number)\n".utf8) + FileIdentity.text(at: path) + Array("image ".utf8)
            + path + [0x0a]
    }

    /// Makes the image while nobody changes anything; `progress` is told bytes done and in all. Unless
    /// it is the last time, the mount goes on with the new image.
    public func run(
        isLast: Bool = false, progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        try fileSystem.gate.hold { () throws(CommitError) in
            try state.withLock { state throws(CommitError) in
                let outcome = try commit(&state, isLast: isLast, progress)
                if isLast { fileSystem.stage.remove() }
                return outcome
            }
        }
    }

    private func commit(
        _ state: inout State, isLast: Bool, _ progress: @escaping (UInt64, UInt64) -> Void
    ) throws(CommitError) -> CommitOutcome {
        let stage = fileSystem.stage
        let changes = fileSystem.changeCount
        let isSaved = changes == state.savedChanges && NewImage.isThere(target)
        guard !isSaved else { return .unchanged }
        let volume = state.image.volume
        let tree = fileSystem.tree()
        let revision = try format { () throws(FormatError) in
            try ImageRevision.revision(of: volume, tree) { [stage] in
                stage.content(of: $0, byteCount: tree.sizes[$0] ?? 0)
            }
        }
        if revision.isEmpty, replacesImage || NewImage.isThere(target) { return .unchanged }
        let toolbox = Toolbox(environment: [])
        let image = try mkifs { () throws(MkifsError) in
            try Layout.image(of: RevisedPlan(volume.image, revision).plan, toolbox)
        }
        let file = try NewImage(beside: target)
        try file.write(image, progress)
        if state.image.hasChanged() {
            throw CommitError(
                "\(printable(source)): found another file than the one that was mounted,"
                    + " expected nobody else to change it")
        }
        try file.takeAttributes(of: target)
        if let backup { try file.keep(target, as: backup) }
        if replacesImage { try stage.markSaved(as: file.identity) }
        try file.take(name: target)
        state.savedChanges = changes
        guard replacesImage, !isLast else { return .written }
        do throws(CommitError) {
            try goOn(&state)
        } catch {
            // Later edits are in no image: nobody may take them for saved.
            stage.forgetSaved()
            throw CommitError("\(error); the image was saved, but nothing more can be")
        }
        return .written
    }

    /// Goes on with the new image, of which there are no edits yet.
    private func goOn(_ state: inout State) throws(CommitError) {
        state.image = try open()
        let (volume, hasChanged) = (state.image.volume, state.image.hasChanged)
        let watch = ImageWatch(hasChanged, report: state.image.report)
        try format { () throws(FormatError) in try fileSystem.rebase(volume, watch) }
        fileSystem.stage.remove(goingOnWith: Self.origin(of: source, number))
    }

    // MARK: Errors

    private func format<Result>(
        _ body: () throws(FormatError) -> Result
    ) throws(CommitError) -> Result {
        do throws(FormatError) {
            return try body()
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
    }

    private func mkifs<Result>(
        _ body: () throws(MkifsError) -> Result
    ) throws(CommitError) -> Result {
        do throws(MkifsError) {
            return try body()
        } catch {
            throw CommitError("\(printable(target)): \(error)")
        }
    }
}

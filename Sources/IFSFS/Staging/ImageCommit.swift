public import Format
internal import Glibc
internal import Mkifs
internal import Synchronization

/// An image that is open, and how it can be told whether its file is still the same.
public struct OpenedImage: Sendable {
    /// Its tree.
    public let volume: IFS.ImageVolume
    /// Whether the file was written, truncated or replaced since.
    public let hasChanged: @Sendable () -> Bool
    /// Whether its bytes may be others, whatever has its name now.
    public let wasWritten: @Sendable () -> Bool
    /// Is called once when it has.
    public let report: @Sendable () -> Void

    /// An image of a tree.
    public init(
        _ volume: IFS.ImageVolume, hasChanged: @escaping @Sendable () -> Bool,
        wasWritten: @escaping @Sendable () -> Bool = { false },
        report: @escaping @Sendable () -> Void
    ) {
        self.volume = volume
        self.hasChanged = hasChanged
        self.wasWritten = wasWritten
        self.report = report
    }
}

/// Where a commit's image goes, and what becomes of what is there.
public struct CommitSettings: Sendable {
    /// The file of the image that is mounted.
    public let source: [UInt8]
    /// Which image of that file, from 1.
    public let number: Int
    /// Where the new image goes.
    public let target: [UInt8]
    /// Keeps the old image; nil for nothing.
    public var backup: [UInt8]?
    /// What stands around the image may be left as it is, fitting or not.
    public var isForced = false

    /// The new image takes the place of the old one, unless it goes elsewhere.
    public init(_ source: [UInt8], number: Int, target: [UInt8]? = nil) {
        self.source = source
        self.number = number
        self.target = target ?? source
    }

    /// Whether the new image takes the place of the old one.
    var replacesImage: Bool { target == source }
}

/// Makes a new image of the one that is mounted and the edits on it, and puts it in its place: at every
/// instant there is the old one or the new one.
public final class ImageCommit: Commit {
    private let settings: CommitSettings
    private let fileSystem: StagedFileSystem
    private let packer: ImagePacker
    private let open: @Sendable () throws(CommitError) -> OpenedImage
    private let warn: @Sendable (String) -> Void
    private let image: Lock<OpenedImage>
    /// How often the tree had been changed when it was last saved.
    private let savedChanges = Atomic<UInt64>(0)
    /// The image that was made ahead of time. Held as long as one is made: what it was made for may
    /// just be asked for.
    private let ahead: Lock<Ahead?> = Lock(nil)

    private struct Ahead {
        let packed: ImagePacker.Packed?
        /// How often the tree had been changed before.
        let changes: UInt64
    }

    /// The commits of a staged image. After a commit `open` is asked for the image again; `warn` is
    /// told what there is to say of a new image, a line each.
    public init(
        of image: OpenedImage, _ fileSystem: StagedFileSystem, _ settings: CommitSettings,
        warn: @escaping @Sendable (String) -> Void = { _ in },
        open: @escaping @Sendable () throws(CommitError) -> OpenedImage
    ) {
        self.fileSystem = fileSystem
        self.settings = settings
        self.open = open
        self.warn = warn
        packer = ImagePacker(target: settings.target, isForced: settings.isForced)
        self.image = Lock(image)
    }

    /// Why no image can be made of this one and edits; nil where one can.
    public static func obstacle(_ volume: IFS.ImageVolume, isForced: Bool = false) -> String? {
        do throws(MkifsError) {
            try RevisedPlan.check(volume.image, isForced: isForced)
            return nil
        } catch {
            return error.description
        }
    }

    /// Where the edits on an image are kept unless somebody says otherwise: beside it.
    public static func stagePath(of image: [UInt8]) -> [UInt8] {
        NewImage.hidden(image, ".stage")
    }

    /// The stages in a directory.
    public static func stages(in directory: [UInt8]) -> [[UInt8]] {
        names(in: directory)
            .filter { $0.first == UInt8(ascii: ".") && $0.suffix(6) == Array(".stage".utf8)[...] }
            .sorted { $0.lexicographicallyPrecedes($1) }
            .map { directory + [UInt8(ascii: "/")] + $0 }
    }

    /// Makes the image, unless it was made ahead, and puts it in its place; if forced also in that of a
    /// file which has got the name since.
    public func run(
        isLast: Bool = false, isForced: Bool = false,
        progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        try ahead.withLock { ahead throws(CommitError) in
            try fileSystem.gate.hold { () throws(CommitError) in
                try image.withLock { image throws(CommitError) in
                    let outcome = try commit(
                        &image, &ahead, isLast: isLast, isForced: isForced, progress)
                    if isLast { fileSystem.stage.remove() }
                    return outcome
                }
            }
        }
    }

    private func commit(
        _ image: inout OpenedImage, _ ahead: inout Ahead?, isLast: Bool, isForced: Bool,
        _ progress: @escaping (UInt64, UInt64) -> Void
    ) throws(CommitError) -> CommitOutcome {
        let changes = fileSystem.changeCount
        guard changes != savedChanges.load(ordering: .relaxed) || !NewImage.isThere(settings.target)
        else {
            return .unchanged
        }
        if ahead?.changes != changes { ahead = nil }
        defer { ahead = nil }
        let packed =
            if let ahead { ahead.packed } else { try pack(image, fileSystem.tree(), progress) }
        guard let packed else {
            savedChanges.store(changes, ordering: .relaxed)
            return .unchanged
        }
        try publish(packed, image, isForced: isForced)
        savedChanges.store(changes, ordering: .relaxed)
        guard settings.replacesImage, !isLast else { return .written }
        do throws(CommitError) {
            try goOn(&image)
        } catch {
            // Later edits are in no image: nobody may take them for saved.
            fileSystem.stage.forgetSaved()
            throw CommitError("\(error); the image was saved, but nothing more can be")
        }
        return .written
    }

    private func pack(
        _ image: OpenedImage, _ tree: StagedTree,
        _ progress: @escaping (UInt64, UInt64) throws(FormatError) -> Void
    ) throws(CommitError) -> ImagePacker.Packed? {
        let writesUnchanged = !settings.replacesImage && !NewImage.isThere(settings.target)
        return try packer.pack(
            image.volume, tree, fileSystem.stage, writesUnchanged: writesUnchanged, progress)
    }

    /// Gives the new image its name, if the old one is still what it was.
    private func publish(
        _ packed: ImagePacker.Packed, _ image: OpenedImage, isForced: Bool
    ) throws(CommitError) {
        if isForced ? image.wasWritten() : image.hasChanged() {
            throw CommitError(
                "\(printable(settings.source)): found another file than the one that was mounted,"
                    + " expected nobody else to change it")
        }
        packed.warnings.forEach(warn)
        try packed.file.takeAttributes()
        if let backup = settings.backup { try packed.file.keepOld(as: backup) }
        if settings.replacesImage { try fileSystem.stage.markSaved(as: packed.file.identity) }
        try packed.file.takePlace()
    }

    /// Goes on with the new image, of which there are no edits yet.
    private func goOn(_ image: inout OpenedImage) throws(CommitError) {
        let before = image.volume
        image = try open()
        let (volume, hasChanged) = (image.volume, image.hasChanged)
        let watch = ImageWatch(hasChanged, report: image.report)
        do throws(FormatError) {
            try fileSystem.rebase(
                volume, watch, isAlike: volume.isAlike(before))
        } catch {
            throw CommitError("\(printable(settings.source)): \(error)")
        }
        let origin = StageOrigin(of: settings.source, settings.number)
        fileSystem.stage.remove(goingOnWith: origin.text)
    }

    // MARK: Compacting

    /// Saves, and then lays out anew what can move.
    public func compact(
        progress: @escaping (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(CommitError) -> CommitOutcome {
        guard settings.replacesImage else {
            throw CommitError(
                "\(printable(settings.source)): found a mount with output=, whose image goes"
                    + " elsewhere, expected one that is replaced")
        }
        let saved = try run(progress: progress)
        return try ahead.withLock { ahead throws(CommitError) in
            ahead = nil
            return try fileSystem.gate.hold { () throws(CommitError) in
                try image.withLock { image throws(CommitError) in
                    // Somebody has changed something since: the next time will do.
                    guard !hasEdits else { return saved }
                    guard let packed = try packer.compact(image.volume, progress) else {
                        return saved
                    }
                    try publish(packed, image, isForced: false)
                    try goOn(&image)
                    return .written
                }
            }
        }
    }

    // MARK: Ahead of time

    /// How often the tree has been changed.
    var changeCount: UInt64 { fileSystem.changeCount }

    /// Whether the tree has been changed since it was last saved.
    public var hasEdits: Bool { changeCount != savedChanges.load(ordering: .relaxed) }

    /// Makes the image of the tree as it is ahead of time, while changes go on: the next one ends
    /// the work. What is wrong with it the commit will tell.
    public func packAhead(while goesOn: @escaping () -> Bool) {
        ahead.withLock { ahead in
            let (tree, changes) = fileSystem.snapshot()
            let image = self.image.withLock { $0 }
            guard savedChanges.load(ordering: .relaxed) != changes, ahead?.changes != changes else {
                return
            }
            ahead = nil
            do throws(CommitError) {
                let packed = try pack(image, tree) { [fileSystem] _, _ throws(FormatError) in
                    guard goesOn(), fileSystem.changeCount == changes else {
                        throw .io(Place("new image", 0), errno: ECANCELED)
                    }
                }
                ahead = Ahead(packed: packed, changes: changes)
                // The old image is soon no more. To let go of it in memory takes time, which a commit
                // would have to wait for.
                if packed != nil, settings.replacesImage { image.volume.image.file.willRest() }
            } catch {}
        }
    }
}

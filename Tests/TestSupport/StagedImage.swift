internal import Format
internal import Foundation
public import IFSFS

/// An image in a directory of its own, mounted for changes but for the kernel.
public final class StagedImage {
    private let folder: ScratchFolder
    /// The image.
    public let path: [UInt8]
    /// What a mount of it serves.
    public let fileSystem: StagedFileSystem
    /// What saves it.
    public let commit: ImageCommit
    /// Where its edits are.
    public let stage: Stage
    private let change: (inout StageLimits) -> Void

    /// An image of these bytes, `image.ifs`, with other limits than an IFS has if `change` makes any.
    public convenience init(
        _ bytes: [UInt8], _ change: @escaping (inout StageLimits) -> Void = { _ in }
    ) throws {
        let folder = try ScratchFolder()
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/image.ifs"))
        try self.init(in: folder, change: change)
    }

    /// The image that lies in a directory; with a target, a new one goes there.
    public init(
        in folder: ScratchFolder, target: String? = nil,
        change: @escaping (inout StageLimits) -> Void = { _ in }
    ) throws {
        self.folder = folder
        self.change = change
        path = Array(folder.path.appending("/image.ifs").utf8)
        stage = Stage(at: ImageCommit.stagePath(of: path), of: StageOrigin(of: path, 1).text)
        let opened = try Self.open(path)
        var limits = StageLimits.ifs(imageSize: UInt64(opened.volume.image.header.imageSize))
        change(&limits)
        fileSystem = StagedFileSystem(
            opened.volume, stage, limits, clock: { 1_700_000_000 })
        let path = path
        let settings = CommitSettings(
            path, number: 1, target: target.map { Array("\(folder.path)/\($0)".utf8) })
        commit = ImageCommit(of: opened, fileSystem, settings) { () throws(CommitError) in
            do {
                return try Self.open(path)
            } catch {
                throw CommitError("\(error)")
            }
        }
    }

    /// The first image of a file.
    public static func open(_ path: [UInt8]) throws -> OpenedImage {
        let name = String(decoding: path, as: UTF8.self)
        let file = try FileSource(taking: Foundation.open(name, O_RDONLY | O_CLOEXEC))
        guard let image = try IFS.Scanner.images(in: file).images.first else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return OpenedImage(try IFS.ImageVolume(image), hasChanged: { false }, report: {})
    }

    /// The same image as the next mount has it when the server of this one was killed: it goes on with
    /// the edits, if there are any. This one is not to be used any more.
    public func afterKill() throws -> StagedImage {
        let place = String(decoding: stage.path, as: UTF8.self)
        if stage.isFound {
            // A copy is locked by nobody.
            try FileManager.default.copyItem(atPath: place, toPath: place + ".copy")
            stage.remove()
            try FileManager.default.moveItem(atPath: place + ".copy", toPath: place)
        }
        let again = try StagedImage(in: folder, change: change)
        if again.stage.isFound, try !again.fileSystem.resume(path) {
            throw CocoaError(.fileReadCorruptFile)
        }
        return again
    }

    /// The same image mounted so that the new one goes elsewhere in its directory.
    public func another(target: String) throws -> StagedImage {
        try StagedImage(in: folder, target: target, change: change)
    }

    /// A file of the directory as it is now.
    public func bytes(_ name: String = "image.ifs") throws -> [UInt8] {
        try Fixtures.bytes(URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }

    /// What lies in the directory.
    public func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}

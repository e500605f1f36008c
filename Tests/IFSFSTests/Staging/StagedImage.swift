import Format
import Foundation
import IFSFS
import TestSupport

/// An image in a directory of its own, mounted for changes but for the kernel.
final class StagedImage {
    private let folder: ScratchFolder
    let path: [UInt8]
    private(set) var fileSystem: StagedFileSystem
    private(set) var commit: ImageCommit
    private let stage: Stage

    init(_ bytes: [UInt8], _ change: (inout StageLimits) -> Void = { _ in }) throws {
        folder = try ScratchFolder()
        path = Array(folder.path.appending("/image.ifs").utf8)
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/image.ifs"))
        stage = Stage(at: ImageCommit.stagePath(of: path), of: StageOrigin(of: path, 1).text)
        let opened = try Self.open(path)
        var limits = StageLimits.ifs(imageSize: UInt64(opened.volume.image.header.imageSize))
        change(&limits)
        fileSystem = StagedFileSystem(
            opened.volume, stage, limits, clock: { 1_700_000_000 })
        let path = path
        commit = ImageCommit(of: opened, fileSystem, CommitSettings(path, number: 1)) {
            () throws(CommitError) in
            do {
                return try Self.open(path)
            } catch {
                throw CommitError("\(error)")
            }
        }
    }

    static func open(_ path: [UInt8]) throws -> OpenedImage {
        let name = String(decoding: path, as: UTF8.self)
        let file = try FileSource(taking: Foundation.open(name, O_RDONLY | O_CLOEXEC))
        guard let image = try IFS.Scanner.images(in: file).images.first else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return OpenedImage(try IFS.ImageVolume(image), hasChanged: { false }, report: {})
    }

    /// The image as it is in the file now.
    func bytes() throws -> [UInt8] {
        try Fixtures.bytes(URL(fileURLWithPath: folder.path + "/image.ifs"))
    }

    /// What lies in the directory.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}

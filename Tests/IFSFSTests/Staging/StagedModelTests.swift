import Format
import IFSFS
import TestSupport
import Testing

/// A staged image held against a dictionary: both are changed by the same random operations, then the
/// image is made of the edits, opened again, and compared; and then it goes on. Now and then the server
/// is killed, and the next one goes on with the edits.
struct StagedModelTests {
    static let seeds = LongRun.seeds(40, of: 400)
    static let operations = 5_000

    @Test(arguments: seeds)
    func randomChangesMakeTheDictionarysTree(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (model, entries) = TreeModel.random(&random, count: 60)
        let builder = ImageBuilder(entries).with { $0.packing = seed % 2 == 0 ? .none : .lzo() }
        // Small pieces, so that files are in the stage in parts.
        var image = try StagedImage(builder.build().bytes) { $0.pieceSize = 256 << (seed % 6) }
        var run = ModelRun(image.fileSystem, model, random)
        for _ in 0..<2 {
            for number in 0..<(Self.operations / 2) {
                try run.step()
                guard number % 500 == 0 else { continue }
                try run.compareAll(image.fileSystem)
                if number % 1000 == 500 {
                    image = try image.afterKill()
                    run.fileSystem = image.fileSystem
                }
            }
            try run.compareAll(image.fileSystem)
            #expect(try image.commit.run() == .written)
            let opened = try StagedImage.open(image.path)
            #expect(opened.volume.image.check() == [])
            try run.compareAll(VolumeFileSystem(opened.volume))
            #expect(try image.names() == ["image.ifs"])
        }
    }
}

import Format
import Testing
import TestSupport

struct Probe {
    @Test func speed() throws {
        let bytes = try Fixtures.bytes(Fixtures.sharedImage("armle-6.6-ucl.ifs"))
        var best = 1e9
        for _ in 0..<8 {
            let image = try IFS.Image.only(in: bytes, .init(cacheLimit: 0))
            let start = Measure.threadSeconds
            for o in stride(from: UInt64(0), to: image.contents.byteCount - 65536, by: 65536) { _ = try image.contents.prefix(65536, at: o) }
            best = min(best, Measure.threadSeconds - start)
        }
        print("MBs", Double(3758400) / best / 1e6)
    }
}

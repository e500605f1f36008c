import Foundation
import TestSupport
import Testing

/// The vendor's images, byte for byte.
struct MkifsGoldenTests {
    @Test(
        .enabled(
            if: Tool.isRoot && Tool.has("python3"),
            "needs root, as the cases were made, and python3"),
        arguments: Fixtures.goldenCases)
    func everyGoldenCaseIsBuiltByteForByte(_ name: String) throws {
        let folder = try TemporaryFolder()
        let inputs = try GoldenInputs()
        let build = Fixtures.golden(name, "case.build").path
        let outcome = try mkifs(["--profile", "6.4", "-nn", build, "out.ifs"], in: folder) {
            $0.environment = inputs.environment
        }
        #expect(outcome.end == .exit(0), "\(outcome.complaints)")
        #expect(try folder.bytes("out.ifs") == Fixtures.goldenImage(name))
        #expect(try folder.names() == ["out.ifs"])
    }
}

import Foundation
import TestSupport
import Testing

/// Buildfiles by chance, built by mkifs and by `../shared/golden/model`, the specification of 6.4 as a
/// program: the same bytes.
///
/// `MKIFS_MODEL_SEEDS=7` or `=1-5000` names the seeds to run instead of those below, and
/// `MKIFS_MODEL_KEEP=FOLDER` keeps the files of those that fail.
@Suite(
    .enabled(
        if: Tool.isRoot && Tool.has("python3") && ModelCase.model != nil,
        "needs root, as the golden cases do, python3 and ../shared/golden/model"))
struct MkifsModelTests {
    private static let groups: [ClosedRange<UInt64>] = {
        let named = ProcessInfo.processInfo.environment["MKIFS_MODEL_SEEDS"]
        let ends = (named ?? "1-200").split(separator: "-").compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return [] }
        let size = (last - first) / 10 + 1
        return stride(from: first, through: last, by: UInt64.Stride(size)).map {
            $0...min(last, $0 + size - 1)
        }
    }()

    @Test(arguments: groups)
    func randomBuildfilesGiveTheModelsBytes(_ seeds: ClosedRange<UInt64>) throws {
        let inputs = try GoldenInputs()
        for seed in seeds {
            let model = try ModelCase(seed: seed)
            guard let fault = try model.fault(with: inputs) else { continue }
            try model.keep()
            Issue.record("\(fault); run it alone with MKIFS_MODEL_SEEDS=\(seed)")
        }
    }
}

/// One buildfile, its host files, and the two images.
private struct ModelCase {
    /// The model; nil where it is absent.
    static let model: URL? = Fixtures.shared
        .map { $0.appendingPathComponent("golden/model") }
        .flatMap { Fixtures.exists($0) ? $0 : nil }

    /// Where python3 itself is: what stands for it along PATH may take longer to start than it runs.
    private static let python: String = {
        let child = Child([
            "python3", "-c", "import os, sys; print(os.path.dirname(sys.executable))",
        ])
        // Without it the one along PATH is as good.
        return (try? child.run())?.lines.first ?? "/usr/bin"
    }()

    private let seed: UInt64
    private let build: RandomBuild
    private let folder: TemporaryFolder

    init(seed: UInt64) throws {
        self.seed = seed
        build = RandomBuild(seed: seed)
        folder = try TemporaryFolder()
        mkdir(folder.path("host"), 0o755)
        try folder.write(Array(build.text.utf8), to: "case.build")
        for file in build.files {
            let path = try folder.write(file.bytes, to: "host/" + file.name)
            // The owner first: a change of owner takes bits from the mode.
            chown(path, file.user, file.group)
            chmod(path, mode_t(file.mode))
        }
    }

    /// What is wrong with our image; nil if it is the model's.
    func fault(with inputs: GoldenInputs) throws -> String? {
        var environment = inputs.environment.merging(RandomBuild.variables) { $1 }
        environment["HOST"] = folder.path("host")
        environment["PATH"] = Self.python + ":" + (environment["PATH"] ?? "")
        let ours = try mkifs(["--profile", "6.4", "-nn", "case.build", "ours.ifs"], in: folder) {
            $0.environment = environment
        }
        var child = Child([Self.model?.path ?? "", "case.build", "model.ifs"])
        child.folder = folder.url
        child.environment = environment
        let theirs = try child.run()
        for (name, outcome) in [("mkifs", ours), ("the model", theirs)]
        where outcome.end != .exit(0) {
            return "seed \(seed): \(name) ends with \(outcome.end): \(outcome.complaints)"
        }
        return difference(try folder.bytes("ours.ifs"), try folder.bytes("model.ifs"))
            .map { "seed \(seed): \($0)" }
    }

    /// Copies the files to where they are wanted.
    func keep() throws {
        guard let place = ProcessInfo.processInfo.environment["MKIFS_MODEL_KEEP"] else { return }
        expectSuccess(try Child(["mkdir", "-p", place]).run())
        expectSuccess(try Child(["cp", "-rp", folder.url.path, "\(place)/\(seed)"]).run())
    }
}

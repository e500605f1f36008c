import Format
import Mkifs
import ToolSupport

extension Command {
    /// What the command line and the environment say of the build.
    func buildOptions() throws(ToolError) -> BuildOptions {
        let environment = environment
        let release = release
        var build = try Self.told { () throws(MkifsError) in try environment.options(release) }
        build.times = options.has("n") ? (options.count("n") > 1 ? .zero : .zeroGenerated) : .kept
        build.root = try root() ?? build.root
        build.keptSections = options.values("s").map(\.bytes)
        build.keepsHardLinks = options.has("h")
        build.bootstraps = options.has("N") ? (options.count("N") > 1 ? .none : .warned) : .four
        build.suffix = options.value("a")?.bytes
        build.outputDirectory = options.value("o")?.bytes
        build.isFast = options.has("fast")
        build.isCheck = options.has("check")
        if options.count("v") > 5 {
            build.tellSearch = { [diagnostics] path, isThere in
                diagnostics.write("Search: \(printable(path))\(isThere ? "" : ": not there")")
            }
        }
        if let type = options.value("t")?.text, type != "ifs" {
            throw ToolError("option '-t': found '\(type)', expected 'ifs'")
        }
        return build
    }

    private func root() throws(ToolError) -> [UInt8]? {
        let roots = options.values("r")
        guard roots.count < 2 else {
            throw ToolError("option '-r' stands \(roots.count) times, and once is the limit")
        }
        return roots.last?.bytes
    }
}

import Format
import Glibc
import Mkifs
import ToolSupport

extension Command {
    /// What the command line and the environment say of the build.
    func buildOptions() throws(ToolError) -> BuildOptions {
        var build = BuildOptions(try Self.release(options, environment))
        build.environment = environment.values
        build.times = options.has("n") ? (options.count("n") > 1 ? .zero : .zeroGenerated) : .kept
        build.buildTime = try buildTime()
        build.root = try root(build.release)
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

    /// The release whose tool is followed.
    static func release(
        _ options: OptionTable.Parsed, _ environment: Environment
    ) throws(ToolError) -> Release {
        let variable = environment.values[Array("MKIFS_PROFILE".utf8)]
        let text =
            options.value("profile")?.text ?? variable.map { String(decoding: $0, as: UTF8.self) }
        guard let text else { return .v70 }
        guard let release = Release(rawValue: text) else {
            let known = Release.allCases.map(\.rawValue).joined(separator: ", ")
            throw ToolError("profile: found '\(text)', expected one of \(known)")
        }
        return release
    }

    /// Now, unless SOURCE_DATE_EPOCH says when.
    private func buildTime() throws(ToolError) -> UInt32 {
        guard let text = environment.values[Array("SOURCE_DATE_EPOCH".utf8)] else {
            return UInt32(clamping: time(nil))
        }
        guard let seconds = UInt32(String(decoding: text, as: UTF8.self)) else {
            throw ToolError(
                "SOURCE_DATE_EPOCH: found '\(printable(text))', expected seconds since 1970")
        }
        return seconds
    }

    private func root(_ release: Release) throws(ToolError) -> [UInt8]? {
        let roots = options.values("r")
        guard roots.count < 2 else {
            throw ToolError("option '-r' stands \(roots.count) times, and once is the limit")
        }
        return roots.last?.bytes ?? environment.values[Array("_ROOTDIR_".utf8)]
    }
}

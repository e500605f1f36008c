internal import Format
internal import Glibc

/// The linker for relocatable files that no `linker=` is for: what the host has.
struct DefaultLinker: Equatable, Sendable {
    /// The program.
    let path: [UInt8]
    /// How it calls the format; nil where it has only one.
    let emulation: String?

    /// The first program in PATH that links for the target: one for this machine alone, then the
    /// host's own `ld`, then lld. Throws `noLinker` where there is none.
    init(for target: LinkerTarget, environment: [[UInt8]]) throws(LinkingError) {
        let folders = Self.folders(environment)
        for name in Self.names(for: target) {
            for path in folders.map({ $0 + [.slash] + Array(name.utf8) })
            where Self.isProgram(path) {
                let emulation = try Self.emulation(of: path, target, environment)
                // A name of QNX's says what the program links for, whatever it calls that.
                guard emulation != nil || name.hasPrefix("nto") else { continue }
                self.path = path
                self.emulation = emulation
                return
            }
        }
        throw .noLinker(
            machine: target.machine, isBigEndian: target.isBigEndian,
            candidates: Self.names(for: target).filter { !$0.hasPrefix("ld.lld-") })
    }

    /// The command that links a file as `LinkerScript` says; the script goes into `scratch`.
    func command(
        for request: LinkRequest, _ file: ELFFile, in scratch: ScratchDirectory
    ) throws(LinkingError) -> [UInt8] {
        let script = try scratch.file(holding: Array(LinkerScript(request, file).text.utf8))
        var options = " -static -nostdlib --build-id=none"
        if let emulation { options = " -m \(emulation)" + options }
        if request.isBigEndian { options += " -EB" }
        for name in ["max-page-size", "common-page-size"] {
            options += " -z \(name)=0x\(String(request.pageSize, radix: 16))"
        }
        return ShellCommand.quoted(path) + Array((options + " -T ").utf8)
            + ShellCommand.quoted(script) + (try Self.files.text(for: request))
    }

    /// The end of the command, in the codes of a `linker=`.
    private static var files: CommandTemplate {
        get throws(LinkingError) {
            try CommandTemplate(
                parsing: Array(" -o%o %i%[M -L%^i -uinit_%n -lmod_%n%]".utf8))
        }
    }

    // MARK: Finding

    private static func names(for target: LinkerTarget) -> [String] {
        guard !target.emulations.isEmpty else { return [] }
        let versions = (9...99).reversed().map { "ld.lld-\($0)" }
        return target.prefixes.map { $0 + "-ld" } + ["ld", "ld.lld"] + versions
    }

    private static func folders(_ environment: [[UInt8]]) -> [[UInt8]] {
        let value = ShellCommand.value(of: "PATH", in: environment) ?? []
        return value.split(separator: UInt8(ascii: ":")).map(Array.init)
    }

    private static func isProgram(_ path: [UInt8]) -> Bool {
        var status = stat()
        let name = cString(path)
        return unsafe stat(name, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && access(name, X_OK) == 0
    }

    /// The first of the target's formats that a linker knows by this name. Both GNU ld and lld look at
    /// the name even if they then only tell their version.
    private static func emulation(
        of path: [UInt8], _ target: LinkerTarget, _ environment: [[UInt8]]
    ) throws(LinkingError) -> String? {
        for emulation in target.emulations {
            let options = Array(" -m \(emulation) --version >/dev/null 2>&1".utf8)
            let probe = ShellCommand(
                ShellCommand.quoted(path) + options, environment: environment)
            if try Shell.run(probe) == .exited(0) { return emulation }
        }
        return nil
    }
}

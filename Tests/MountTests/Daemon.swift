import Foundation

/// A server in the background, found by its command line.
struct Daemon {
    let id: pid_t

    private static let names: [Substring] = ["mount.ifs", "mount.fuse.ifs"]

    /// A server that has this mount point on its command line; nil when none runs.
    static func serving(_ point: Word) -> Daemon? { all { $0 == point }.first }

    /// All servers with such a word on their command lines.
    static func all(where isSo: (Word) -> Bool) -> [Daemon] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.map(Daemon.init).filter { daemon in
            let words = daemon.commandLine
            let name = words.first?.description.split(separator: "/").last ?? ""
            return Self.names.contains(name) && words.contains(where: isSo) && daemon.isAlive
        }
    }

    /// The words of its command line; none of a process that is gone.
    var commandLine: [Word] {
        file("cmdline").split(separator: 0).map { Word(Array($0)) }
    }

    /// Whether it runs; what is dead and not yet waited for does not.
    var isAlive: Bool { !fields.isEmpty && fields[0] != "Z" && fields[0] != "X" }

    /// The fields of `/proc/PID/stat` behind the name: state, parent, group, session, terminal...
    var fields: [String] {
        let text = String(decoding: file("stat"), as: UTF8.self)
        return text.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
    }

    /// A line of `/proc/PID/status`, without its name.
    func status(_ name: String) -> String? {
        String(decoding: file("status"), as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// Anonymous memory, in bytes.
    var anonymousMemory: Int {
        (status("RssAnon")?.split(separator: " ").first.flatMap { Int($0) } ?? 0) << 10
    }

    /// What a link such as `cwd` or `fd/0` leads to.
    func link(_ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/\(name)")
    }

    /// Numbers of its open descriptors.
    var descriptors: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd")) ?? []).sorted()
    }

    /// Waits for its end.
    func endsWithin(_ seconds: Double) -> Bool {
        within(seconds) { isAlive ? nil : true } ?? false
    }

    private func file(_ name: String) -> [UInt8] {
        // A process that is gone has no files.
        (try? Calls.kernelText("/proc/\(id)/\(name)")) ?? []
    }
}

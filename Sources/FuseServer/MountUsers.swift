internal import Glibc

extension Mount {
    /// The processes that have a file of the mount open, run in it or from it, as far as this one may
    /// look: by their number and the name of their command.
    public func users() -> [(process: Int, name: String)] {
        guard let processes = opendir("/proc") else { return [] }
        defer { closedir(processes) }
        var users: [(process: Int, name: String)] = []
        while let entry = readdir(processes) {
            guard let process = Int(Self.name(of: entry)), process != Int(getpid()), uses(process)
            else { continue }
            users.append((process, Self.command(of: process)))
        }
        return users
    }

    private func uses(_ process: Int) -> Bool {
        let own = "/proc/\(process)"
        if ["/cwd", "/root", "/exe"].contains(where: { isIn(own + $0) }) { return true }
        guard let files = opendir(own + "/fd") else { return false }
        defer { closedir(files) }
        while let entry = readdir(files) {
            let name = Self.name(of: entry)
            if !name.hasPrefix("."), isIn(own + "/fd/" + name) { return true }
        }
        return false
    }

    /// Whether a link of `/proc` leads into the mount; read and not followed, for a server that hangs
    /// would never answer.
    private func isIn(_ link: String) -> Bool {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &buffer, buffer.count)
        guard count >= mountPoint.count else { return false }
        let path = buffer.prefix(count).map(UInt8.init(bitPattern:))
        return path.starts(with: mountPoint)
            && (count == mountPoint.count || path[mountPoint.count] == UInt8(ascii: "/"))
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) { name in
            String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
        }
    }

    private static func command(of process: Int) -> String {
        String(decoding: contents(of: "/proc/\(process)/comm").dropLast(), as: UTF8.self)
    }
}

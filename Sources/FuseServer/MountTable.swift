internal import Format
internal import Glibc

/// One mount of this process's name space, as the kernel lists it.
public struct Mount: Equatable, Sendable {
    /// What the kernel calls the mount; free for another once the mount is gone.
    public let id: Int
    /// Major and minor number of the file system, as in `0:52`; no other has it while this one lives.
    public let device: String
    /// Where it is mounted.
    public let mountPoint: [UInt8]
    /// Its type, such as `fuse.ifs`.
    public let type: String
    /// What was mounted.
    public let source: [UInt8]
    /// Whose mount it is, by `user_id=`; nil where the kernel does not tell.
    public let user: UInt32?

    /// Whether a tool of ours made it.
    public var isOurs: Bool { type == "fuse.ifs" }

    /// Whether its server is gone.
    public var isDead: Bool { Self.isDead(at: mountPoint) }

    /// Whether a path leads to a mount whose server is gone.
    ///
    /// `stat` would not tell: the kernel knows the root's attributes for as long as it likes. What
    /// `statvfs` asks for it never keeps. A request that was under way at the end is aborted.
    public static func isDead(at path: [UInt8]) -> Bool {
        var found = statvfs()
        return statvfs(cString(path), &found) != 0
            && (errno == ENOTCONN || errno == ECONNABORTED)
    }

    /// All mounts, in the order in which they were made. Empty where the kernel shows none.
    public static func all() -> [Mount] {
        contents(of: "/proc/self/mountinfo").split(separator: 10).compactMap(Mount.init)
    }

    /// The uppermost mount at an absolute path; nil where there is none.
    public static func uppermost(at path: [UInt8]) -> Mount? {
        all().last { $0.mountPoint == path }
    }

    /// Fields: id, parent, device, root, mount point, options, optional fields up to a `-`, type,
    /// source, super options. Source: proc_pid_mountinfo(5).
    private init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: 0x20)
        guard let dash = fields.firstIndex(of: [0x2d]), dash >= 6, fields.count > dash + 2,
            let id = Int(String(decoding: fields[0], as: UTF8.self))
        else { return nil }
        self.id = id
        device = String(decoding: fields[2], as: UTF8.self)
        mountPoint = Self.unescaped(fields[4])
        type = String(decoding: fields[dash + 1], as: UTF8.self)
        source = Self.unescaped(fields[dash + 2])
        let options =
            fields.count > dash + 3 ? String(decoding: fields[dash + 3], as: UTF8.self) : ""
        user = options.split(separator: ",").first { $0.hasPrefix("user_id=") }
            .flatMap { UInt32($0.dropFirst("user_id=".count)) }
    }

    /// Undoes the kernel's `\ooo` for blanks, newlines and backslashes.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.count == 3, let code = UInt8(digits, radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    static func contents(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += chunk[0..<count]
        }
    }
}

extension Mount {
    /// Whether the same mount is still there, perhaps moved elsewhere.
    public var current: Mount? { Self.all().first { $0.id == id && $0.device == device } }

    /// How a mount is taken away.
    public struct Removal: OptionSet, Sendable {
        /// Flags of umount2(2).
        public let rawValue: Int

        /// These flags.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// It vanishes at once, and ends when nothing is open any more.
        public static let lazily = Removal(rawValue: Int(MNT_DETACH))
        /// What waits for the server fails.
        public static let byForce = Removal(rawValue: Int(MNT_FORCE))
    }

    /// Takes the mount away: as root by the system call, else through fusermount3. Gives the reason,
    /// in a line, if it is still there; nil when it is gone.
    public func remove(_ how: Removal = []) -> String? {
        // A path means the uppermost mount there, which may be another by now.
        guard Self.uppermost(at: mountPoint).map({ $0.id == id && $0.device == device }) != false
        else { return "another mount covers it" }
        guard geteuid() == 0 else { return removeThroughHelper(how) }
        let path = cString(mountPoint)
        // What was mounted there may be a link by now.
        guard umount2(path, Int32(how.rawValue) | Int32(UMOUNT_NOFOLLOW)) != 0 else { return nil }
        return errno == EBUSY ? "target is busy" : systemMessage(errno)
    }

    private func removeThroughHelper(_ how: Removal) -> String? {
        let words =
            ["fusermount3", "-u", how.contains(.lazily) ? "-z" : nil, "--"]
            .compactMap { $0 }.map { Array($0.utf8) } + [mountPoint]
        let (failure, said) = ChildErrors.lines { Self.run(words) }
        guard failure == nil else { return failure }
        return current == nil ? nil : said.last ?? "fusermount3 refused"
    }

    /// Runs a program to its end; gives why it could not be started.
    static func run(_ words: [[UInt8]]) -> String? {
        var texts = words.map { strdup(cString($0)) }
        defer { for text in texts { free(text) } }
        texts.append(nil)
        guard let program = texts[0] else { return "no program" }
        var child = pid_t()
        let failure = posix_spawnp(&child, program, nil, nil, texts, environ)
        guard failure == 0 else {
            let name = words.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
            return "cannot run \(name): \(systemMessage(failure))"
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return nil
    }
}

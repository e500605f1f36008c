internal import Format
internal import Glibc
internal import Synchronization

/// What a layout needs from outside: files of the host, and programs that are run on them. What these
/// make lies in a temporary directory, which goes with the toolbox.
public final class Toolbox: Sendable {
    /// Addresses that a linker is given.
    struct Addresses {
        let header: UInt64
        let text: UInt64
        var data: UInt64 = 0
        let kind: LinkRequest.Kind
        let pageSize: UInt64
    }

    private struct State {
        var scratch: ScratchDirectory?
        /// What filters have made, by file and command.
        var filtered: [[[UInt8]]: HostFile] = [:]
        /// What an image filter reads.
        var input: [UInt8]?
    }

    private let environment: [[UInt8]]
    private let tell: @Sendable ([UInt8]) -> Void
    private let state = Mutex(State())

    /// Programs run with these variables, `NAME=value` each; every command is told before it runs.
    public init(
        environment: [[UInt8]], telling tell: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) {
        self.environment = environment
        self.tell = tell
    }

    /// Ends the programs that run and removes what they made, for a process that `end` ends: until
    /// then, whoever runs a program or asks for a file in between waits.
    public func abandon(_ end: () -> Void) {
        Shell.terminate {
            state.withLock { state in
                state.scratch?.remove()
                if let input = state.input { _ = unsafe unlink(cString(input)) }
                end()
            }
        }
    }

    /// Says which file an image filter reads.
    func setInput(_ path: [UInt8]?) { state.withLock { $0.input = path } }

    /// The bytes of a content.
    func source(of content: Content) throws(MkifsError) -> any ByteSource {
        switch content {
        case .bytes(let bytes): return MemorySource(bytes)
        case .file(let file): return LazyFileSource(file)
        case .source(let source): return source
        case .filtered(let file, let command):
            return LazyFileSource(try filtered(file, by: command))
        }
    }

    /// A directory for files in between; made when the first is.
    private func scratch() throws(LinkingError) -> ScratchDirectory {
        try state.withLock { state throws(LinkingError) in
            if let scratch = state.scratch { return scratch }
            let scratch = try ScratchDirectory(environment: environment)
            state.scratch = scratch
            return scratch
        }
    }

    /// Runs a command of the image's own.
    func perform(_ command: [UInt8]) throws(LinkingError) {
        tell(command)
        try Shell.perform(ShellCommand(command, environment: environment))
    }

    // MARK: Filters

    /// What a command makes of a file; it is run once for all who ask.
    private func filtered(
        _ file: HostFile, by command: [UInt8]
    ) throws(MkifsError) -> HostFile {
        if let known = state.withLock({ $0.filtered[[file.path, command]] }) { return known }
        let made: HostFile
        do throws(LinkingError) {
            let output = try scratch().file()
            try run(command, from: file.path, to: output)
            made = HostFile(
                output, byteCount: HostStatus(output, followsLinks: true)?.byteCount ?? 0)
        } catch {
            throw .command(file.path, error)
        }
        state.withLock { $0.filtered[[file.path, command]] = made }
        return made
    }

    private func run(
        _ command: [UInt8], from input: [UInt8], to output: [UInt8]
    ) throws(LinkingError) {
        let source = unsafe open(cString(input), O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .io("open", input, errno: errno) }
        defer { close(source) }
        let target = unsafe open(cString(output), O_WRONLY | O_CLOEXEC)
        guard target >= 0 else { throw .io("open", output, errno: errno) }
        defer { close(target) }
        tell(command)
        try Shell.filter(
            ShellCommand(command, environment: environment), input: source, output: target)
    }

    // MARK: Linkers

    /// A file after it was linked for its place.
    func linked(
        _ content: Content, _ link: Plan.Link, _ addresses: Addresses
    ) throws(MkifsError) -> any ByteSource {
        let input = try file(of: content)
        let file: ELFFile
        do throws(FormatError) {
            file = try ELFFile(LazyFileSource(input))
        } catch {
            throw .file(content.name, error)
        }
        let linked: LazyFileSource
        do throws(LinkingError) {
            let output = try scratch().file()
            var request = LinkRequest(
                input: input.path, output: output, headerAddress: addresses.header,
                textAddress: addresses.text, dataAddress: addresses.data,
                machine: file.header.machine, isBigEndian: file.header.order == .big,
                kind: addresses.kind)
            request.modules = link.modules
            request.pageSize = addresses.pageSize
            let command = try command(link, request, file)
            try perform(command)
            let size = HostStatus(output, followsLinks: true)?.byteCount ?? 0
            linked = LazyFileSource(HostFile(output, byteCount: size))
            // What cannot be read cannot be taken for a program either.
            guard (try? ELFFile.isELF(linked)) == true else { throw .noProgram(command) }
        } catch {
            throw .command(content.name, error)
        }
        if let kept = link.kept { try write(linked, to: kept) }
        return linked
    }

    /// A content as a file that a program can open.
    private func file(of content: Content) throws(MkifsError) -> HostFile {
        switch content {
        case .file(let file): return file
        case .filtered(let file, let command): return try filtered(file, by: command)
        case .bytes, .source:
            let source = try source(of: content)
            let path: [UInt8]
            do throws(LinkingError) {
                path = try scratch().file()
            } catch {
                throw .command(content.name, error)
            }
            try write(source, to: path)
            return HostFile(path, byteCount: source.byteCount)
        }
    }

    private func write(_ source: any ByteSource, to path: [UInt8]) throws(MkifsError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = unsafe open(cString(path), flags, 0o666)
        guard descriptor >= 0 else { throw .system("cannot make", path, errno: errno) }
        defer { close(descriptor) }
        var position: UInt64 = 0
        while position < source.byteCount {
            let piece: [UInt8]
            do throws(FormatError) {
                piece = try source.prefix(1 << 20, at: position)
            } catch {
                throw .file(path, error)
            }
            if let failure = writeAll(piece, to: descriptor) {
                throw .system("cannot write", path, errno: failure)
            }
            position &+= UInt64(piece.count)
        }
    }

    private func command(
        _ link: Plan.Link, _ request: LinkRequest, _ file: ELFFile
    ) throws(LinkingError) -> [UInt8] {
        if let command = link.command {
            return try CommandTemplate(parsing: command).text(for: request)
        }
        let target = LinkerTarget(
            machine: file.header.machine, isBigEndian: file.header.order == .big)
        let linker = try DefaultLinker(for: target, environment: environment)
        return try linker.command(for: request, file, in: scratch())
    }
}

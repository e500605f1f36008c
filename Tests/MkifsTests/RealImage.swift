import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// A shared image taken apart into host files and a buildfile that names them, so that it can be made
/// again.
///
/// Programs are given back the shape of a source: their addresses, and their sections in the order that
/// the release's tool reads them in.
struct RealImage {
    let image: IFS.Image
    let release: Release
    private let folder: URL
    private let records: [IFS.DirectoryRecord]

    init(_ name: String, _ release: Release) throws {
        let file = try Fixtures.sharedImage(name)
        let image = try IFS.Image.only(in: try Fixtures.bytes(file))
        self.image = image
        self.release = release
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ifsfs-rebuild-\(UUID().uuidString)")
        records = image.directory.entries.compactMap {
            IFS.DirectoryRecord($0, in: image.directory)
        }
    }

    /// All records but the root's, in the order of the buildfile that they were made of.
    var numbered: [(record: IFS.DirectoryRecord, entry: IFS.Dirent)] {
        zip(records, image.directory.entries).dropFirst().map { (record: $0, entry: $1) }
            .sorted { Self.number($0.record) < Self.number($1.record) }
    }

    private static func number(_ record: IFS.DirectoryRecord) -> UInt32 {
        record.inode & IFS.Dirent.inodeMask
    }

    private static func isProcessed(_ record: IFS.DirectoryRecord) -> Bool {
        record.inode & IFS.Dirent.processedFlag != 0
    }

    // MARK: Addresses

    /// Where the image lies: the address of the loaded boot prefix.
    var base: UInt64 {
        guard let startup = image.startup else { return bareBase }
        return UInt64(
            startup.imageAddress &- UInt32(startup.prebootSize) &+ startup.physicalBias)
    }

    /// An image without a startup tells its address in the headers of its programs only.
    private var bareBase: UInt64 {
        for (record, entry) in numbered where Self.isProcessed(record) {
            guard case .file(let offset, _) = entry.kind,
                let header = ELF.Header((try? image.head(of: entry)) ?? []),
                let load = header.segments.first(where: { $0.type == 1 && $0.offset == 0 })
            else { continue }
            return load.physicalAddress - UInt64(offset)
        }
        return 0
    }

    /// Physical address of an offset of the image file system.
    func physicalAddress(of offset: UInt32) -> UInt64 {
        guard let startup = image.startup else { return base + UInt64(offset) }
        return UInt64(startup.imageAddress &+ startup.startupSize &+ offset)
    }

    /// Where the bootstrap executable runs; nil for where it lies.
    private var bootAddress: UInt64? {
        guard let entry = image.bootEntries.first, let startup = image.startup,
            let header = ELF.Header((try? image.head(of: entry)) ?? []),
            let load = header.segments.first(where: { $0.type == 1 })
        else { return nil }
        let mask: UInt64 = header.is64Bit ? .max : 0xffff_ffff
        let place = load.physicalAddress &+ UInt64(startup.physicalBias)
        return place & mask == load.virtualAddress ? nil : load.virtualAddress &- load.offset
    }

    // MARK: Making it again

    /// An image that was made again: what its headers are, and the unpacked image file system.
    struct Rebuilt {
        let image: IFS.PlacedImage
        let contents: [UInt8]
    }

    /// The image of the same files by the release's profile. `settings` stands on the first line of the
    /// buildfile.
    func rebuilt(_ settings: String) throws -> Rebuilt {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What cannot be removed is left to the system.
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = BuildOptions(release)
        options.buildTime = records[0].modified
        var build = Build(options, Toolbox(environment: []))
        let text = try buildfile(settings)
        build.resolver.add(SourceText(name: "rebuilt.build", bytes: Array(text.utf8)))
        var plan = try build.plan()
        #expect(build.resolver.diagnostics.kept.map(\.description) == [])
        try complete(&plan)
        var placed = try build.layout(plan).image
        placed.encoding = IFS.Encoding(.none)
        var sink = MemorySink()
        _ = try placed.write(to: &sink)
        let start = Int(placed.prefix.byteCount) + Int(placed.startup?.startupSize ?? 0)
        return Rebuilt(
            image: placed,
            contents: Array(sink.bytes[start...].prefix(Int(placed.header.imageSize))))
    }

    private func buildfile(_ settings: String) throws -> String {
        var lines = ["[\(settings)]"]
        for (record, entry) in numbered {
            let path = "/" + String(decoding: record.path, as: UTF8.self)
            let owner = "uid=\(record.user) gid=\(record.group)"
            let bits = "0" + String(record.mode & 0o6777, radix: 8)
            switch record.body {
            case .symlink where Self.isProcessed(record): continue
            case .symlink(let target):
                let text = String(decoding: target, as: UTF8.self)
                lines.append("[type=link \(owner) perms=\(bits)] \"\(path)\" = \"\(text)\"")
            case .directory where Profile(release).listsParents: continue
            case .directory:
                let all = "0" + String(record.mode & 0o7777, radix: 8)
                lines.append("[type=dir \(owner) dperms=\(all)] \"\(path)\"")
            case .device: lines.append("[type=fifo \(owner) perms=\(bits)] \"\(path)\"")
            case .file:
                let host = try store(record, entry)
                let use = try attributes(record, entry)
                lines.append("[\(owner) perms=\(bits) \(use)] \"\(path)\" = \"\(host)\"")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What the line of a file said of its segments, as far as the image tells.
    private func attributes(
        _ record: IFS.DirectoryRecord, _ entry: IFS.Dirent
    ) throws -> String {
        guard Self.isProcessed(record) else { return "+raw" }
        let header = try #require(ELF.Header(try image.head(of: entry)))
        let isCopied = header.segments.contains {
            $0.type == 1 && $0.flags & 2 != 0 && $0.physicalAddress == 0
        }
        // The bootfile asks for large pages, and bootstrap executables take no part in them.
        let isBoot = image.header.bootInodes.contains(record.inode) && release >= .v66
        return (isCopied ? "data=copy" : "data=uip") + (isBoot ? " -big_pages" : "")
    }

    private func store(_ record: IFS.DirectoryRecord, _ entry: IFS.Dirent) throws -> String {
        let data = try image.data(of: entry)
        let place = folder.appendingPathComponent("\(Self.number(record))")
        let bytes = Self.isProcessed(record) ? try source(of: data) : data
        try Data(bytes).write(to: place)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: Double(record.modified))],
            ofItemAtPath: place.path)
        return place.path
    }

    /// What the buildfile's boot section and bootfile would have given.
    private func complete(_ plan: inout Plan) throws {
        let header = image.header
        plan.order = header.order
        plan.range.start = base
        plan.header.mountpoint = header.mountpoint
        plan.header.spare = header.spare
        plan.root.padding = records[0].padding
        for index in plan.entries.indices {
            let inode = plan.entries[index].inode
            let isBoot = header.bootInodes.contains {
                $0 & IFS.Dirent.inodeMask == inode && $0 != 0
            }
            if isBoot { makeBootstrap(&plan.entries[index]) }
            if header.scriptInode == inode { plan.entries[index].role = .script }
        }
        guard let startup = image.startup else { return }
        plan.physicalBias = 0 &- UInt64(startup.physicalBias)
        plan.prefix = .source(WindowSource(image.file, from: 0, count: image.headerOffset))
        plan.notLoaded = image.headerOffset - UInt64(startup.prebootSize)
        plan.bootAddress = bootAddress.map { Plan.BootAddress($0) }
        let head = UInt64(IFS.StartupHeader.byteCount)
        let trailer: UInt64 = startup.flags1 & IFS.StartupHeader.trailerV2Flag != 0 ? 68 : 4
        plan.startup = .stored(
            startup,
            .source(
                WindowSource(
                    image.file, from: image.headerOffset + head,
                    count: UInt64(startup.startupSize) - head - trailer)))
    }

    private func makeBootstrap(_ entry: inout Plan.Entry) {
        entry.role = .bootstrap
        guard case .program(var program) = entry.kind else { return }
        // The place-holder is gone: nothing is written over it any more.
        program.arguments = IFS.BootArguments(arguments: [Array("boot".utf8)])
        if !Profile(release).bootstrapsKeepSections { program.rules.keptSections = [] }
        entry.kind = .program(program)
    }

    // MARK: Programs

    /// A program of the image with what a linker would have written where mkifs wrote addresses, and
    /// with its sections in the order that they have in a source.
    func source(of program: [UInt8]) throws -> [UInt8] {
        let header = try #require(ELF.Header(program))
        var bytes = program
        let dialect = Profile(release).elf
        for (index, segment) in header.segments.enumerated() {
            let isOurs = dialect.otherHeaders == .moved || [1, 4, 0x4001].contains(segment.type)
            guard isOurs else { continue }
            let row = ELF.Header.Segment(
                type: segment.type, offset: segment.offset, virtualAddress: segment.virtualAddress,
                physicalAddress: segment.virtualAddress, fileSize: segment.fileSize,
                memorySize: segment.memorySize, flags: segment.flags, alignment: segment.alignment)
            bytes.set(
                header.bytes(of: row), at: header.byteCount + header.segmentByteCount * index)
        }
        guard dialect.sections == .reversed, header.sectionHeaderCount > 2 else { return bytes }
        let step = header.sectionByteCount
        let kept = Int(header.sectionHeaderCount) - 2
        let table = Int(header.sectionHeaderOffset)
        for index in 1...kept {
            let row = Array(program[(table + step * index)..<(table + step * (index + 1))])
            bytes.set(row, at: table + step * (kept + 1 - index))
        }
        return bytes
    }
}

extension IFS.DirectoryRecord {
    /// The record in a line, as a failed test shows it.
    var line: String {
        let body =
            switch body {
            case .file(let offset, let size): "\(hex(offset)) + \(hex(size))"
            case .directory: "directory"
            case .symlink(let target): "-> \(printable(target))"
            case .device(let device, let raw): "device \(device) \(raw)"
            }
        return "\(printable(path)): \(hex(inode)) 0\(String(mode, radix: 8)) \(user):\(group)"
            + " \(modified) \(body) \(padding.map { "\($0)" } ?? "")"
    }
}

import Format
import Glibc
import Mkifs
import ToolSupport

/// A new directory with the plan of an image, and the image's parts as files.
///
/// Files are made and never replaced, and no link is followed: nothing lands outside the directory.
struct PlanFolder {
    private let target: Argument
    private let descriptor: Int32
    private let top = Directory()
    private let cursor: Cursor

    /// Writes the plan of an image of a file into the directory, which is made, or is there and empty.
    /// All of a file with one image comes back; of one with several, only this image.
    static func write(
        planOf found: FoundImage, in file: FoundImages, named name: Argument, to target: Argument
    ) throws(ToolError) {
        let image = found.image
        let isAlone = file.isAlone(found)
        let isFirst = file.isFirst(found) && image.startup != nil
        let start = isAlone || isFirst ? 0 : image.start
        let plan: Plan
        do throws(MkifsError) {
            plan = try Plan(image, within: start..<(isAlone ? .max : image.end))
        } catch {
            throw ToolError("\(printable(name.bytes)): \(error)")
        }
        _ = unsafe target.withCString { unsafe mkdir($0, 0o777) }
        let descriptor = unsafe target.withCString {
            unsafe open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw ToolError("cannot use as a directory", target, errno: errno)
        }
        defer { close(descriptor) }
        guard try isEmpty(descriptor, target) else {
            throw ToolError(
                "\(printable(target.bytes)): found a directory that has files,"
                    + " expected an empty one, or none")
        }
        try PlanFolder(target, descriptor).write(plan)
    }

    private init(_ target: Argument, _ descriptor: Int32) {
        self.target = target
        self.descriptor = descriptor
        cursor = Cursor(top, descriptor, newMode: 0o777)
    }

    private static func isEmpty(
        _ descriptor: Int32, _ target: Argument
    ) throws(ToolError) -> Bool {
        // Another descriptor, for the stream closes its own.
        let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else {
            throw ToolError("cannot read the directory", target, errno: errno)
        }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let isOther = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                let text = unsafe Array(name.prefix { $0 != 0 })
                return text != Array(".".utf8) && text != Array("..".utf8)
            }
            if isOther { return false }
        }
        return true
    }

    /// Writes a plan's parts, and then its text, as `plan`.
    private func write(_ plan: Plan) throws(ToolError) {
        do throws(MkifsError) {
            let text = try plan.text { path, source throws(MkifsError) in
                try keep(source, at: path)
            }
            try keep(MemorySource(text), at: [Array("plan".utf8)])
        } catch {
            throw ToolError("\(printable(target.bytes)): \(error)")
        }
    }

    // MARK: Files

    /// Makes a file of a source's bytes, and the directories above it.
    private func keep(_ source: any ByteSource, at path: [[UInt8]]) throws(MkifsError) {
        let name = path.last ?? []
        do throws(ExtractionFault) {
            let folder = path.dropLast().reduce(top) { Directory($1, in: $0) }
            try cursor.withDescriptor(of: folder) { folder throws(ExtractionFault) in
                try make(name, in: folder, of: source)
            }
        } catch {
            let shown = printable(path.joined(separator: [UInt8(ascii: "/")]))
            throw .refused("\(shown): \(error.description)")
        }
    }

    private func make(
        _ name: [UInt8], in folder: Int32, of source: any ByteSource
    ) throws(ExtractionFault) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let (file, failure) = unsafe withName(name) { name in
            unsafe (openat(folder, name, flags, 0o666), errno)
        }
        guard file >= 0 else { throw ExtractionFault("cannot make", errno: failure) }
        do throws(ExtractionFault) {
            try copy(source, to: file)
        } catch {
            close(file)
            throw error
        }
        guard close(file) == 0 else { throw ExtractionFault("cannot write", errno: errno) }
    }

    private func copy(_ source: any ByteSource, to file: Int32) throws(ExtractionFault) {
        var position: UInt64 = 0
        while position < source.byteCount {
            let step = min(1 << 20, source.byteCount - position)
            let piece: [UInt8]
            do throws(FormatError) {
                piece = try source.bytes(step, at: position, "part of the image")
            } catch {
                throw ExtractionFault("incomplete: \(error)")
            }
            if let failure = writeAll(piece, to: file) {
                throw ExtractionFault("cannot write", errno: failure)
            }
            position += step
        }
    }
}

internal import Format

/// A patch file (`-p`): owner, group and permissions of entries, set after all of them are collected.
///
/// ```
/// # comment, with the '#' in the first column
/// type:path:pattern:uid:gid:perms
/// ```
///
/// - `type` is `d` for directories or `f` for everything else; with an `r` behind it the line works
///   at any depth below `path`, without it only on what lies directly in it.
/// - `path` is a directory's path in the image, below the mountpoint. Slashes at its ends and
///   doubled ones count for nothing, so `/` and `usr/bin` are paths as well. It need not exist.
/// - `pattern` is a `Glob` for the last name. The image's root has no name and is never patched.
/// - `uid` and `gid` are decimal, `perms` is octal; a line sets all three.
///
/// Fields are taken as they stand, blanks included; only blanks at the end of a line, and lines of
/// nothing else, count for nothing. No `:` can be escaped. A line that matches nothing, as `f` with
/// a directory's name does, says nothing about it.
public struct PatchFile: Equatable, Sendable {
    /// What a line sets.
    public struct Values: Equatable, Sendable {
        /// The owner.
        public let user: UInt32
        /// The group.
        public let group: UInt32
        /// The twelve permission bits.
        public let permissions: UInt16
    }

    private var rules: [Rule] = []

    /// Reads a patch file. A malformed line is left out, and added to `diagnostics`.
    public init(parsing source: SourceText, _ diagnostics: inout Diagnostics) {
        for line in source.bytes.split(separator: .newline) {
            let text = line.dropLast(while: \.isSpace)
            guard !text.isEmpty, text.first != .hash else { continue }
            do {
                rules.append(try Rule(Field.fields(of: text, in: source)))
            } catch {
                diagnostics.add(error)
            }
        }
    }

    /// What the file sets for an entry: the values of the last line that matches, nil for none.
    ///
    /// `path` is that in the image, with or without a leading slash.
    public func values(for path: [UInt8], isDirectory: Bool) -> Values? {
        let names = path.split(separator: .slash)
        guard let name = names.last else { return nil }
        let folder = names.dropLast()
        return rules.last { $0.matches(name, in: folder, isDirectory) }?.values
    }
}

/// A line of a patch file.
private struct Rule: Equatable {
    let isForDirectories: Bool
    let isRecursive: Bool
    let folder: [ArraySlice<UInt8>]
    let pattern: Glob
    let values: PatchFile.Values

    init(_ fields: [Field]) throws(Diagnostic) {
        guard fields.count == 6 else {
            throw Diagnostic(
                at: fields[0].mark,
                "found \(fields.count) field\(fields.count == 1 ? "" : "s"), expected 6: "
                    + "type:path:pattern:uid:gid:perms",
                hint: fields[0].isIndentedComment
                    ? "a comment's '#' stands in the first column" : nil)
        }
        (isForDirectories, isRecursive) = try fields[0].kind()
        folder = try fields[1].folder()
        pattern = try fields[2].pattern()
        values = .init(
            user: try fields[3].identifier("uid"), group: try fields[4].identifier("gid"),
            permissions: try fields[5].permissions())
    }

    func matches(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ isDirectory: Bool
    ) -> Bool {
        isDirectory == isForDirectories && parents.starts(with: folder)
            && (isRecursive || parents.count == folder.count) && pattern.matches(name)
    }
}

/// What stands between two colons.
private struct Field {
    let bytes: ArraySlice<UInt8>
    let mark: SourceMark

    static func fields(of line: ArraySlice<UInt8>, in source: SourceText) -> [Field] {
        line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            Field(bytes: $0, mark: source.mark(at: $0.startIndex))
        }
    }

    var isIndentedComment: Bool { bytes.first { !$0.isSpace } == .hash }

    func kind() throws(Diagnostic) -> (isForDirectories: Bool, isRecursive: Bool) {
        switch String(decoding: bytes, as: UTF8.self) {
        case "d": (true, false)
        case "dr": (true, true)
        case "f": (false, false)
        case "fr": (false, true)
        default: throw fault("type", "d, dr, f or fr")
        }
    }

    func folder() throws(Diagnostic) -> [ArraySlice<UInt8>] {
        guard !bytes.isEmpty else { throw fault("path", "a directory such as '/usr/bin'") }
        return bytes.split(separator: .slash)
    }

    func pattern() throws(Diagnostic) -> Glob {
        guard !bytes.isEmpty, !bytes.contains(.slash) else {
            throw fault("pattern", "a file's name such as '*.so'")
        }
        do {
            return try Glob(parsing: bytes)
        } catch {
            throw Diagnostic(at: mark, "pattern: \(error)", hint: error.hint)
        }
    }

    func identifier(_ name: String) throws(Diagnostic) -> UInt32 {
        guard bytes.allSatisfy(\.isDigit),
            let value = UInt32(String(decoding: bytes, as: UTF8.self))
        else { throw fault(name, "a decimal number from 0 through \(UInt32.max)") }
        return value
    }

    func permissions() throws(Diagnostic) -> UInt16 {
        guard bytes.allSatisfy(\.isDigit),
            let value = UInt16(String(decoding: bytes, as: UTF8.self), radix: 8),
            value <= Permissions.all
        else { throw fault("perms", "an octal number from 0 through 07777") }
        return value
    }

    private func fault(_ name: String, _ expected: String) -> Diagnostic {
        Diagnostic(at: mark, "\(name): found \(quoted(bytes)), expected \(expected)")
    }
}

extension ArraySlice<UInt8> {
    fileprivate func dropLast(while belongs: (UInt8) -> Bool) -> Self {
        self[startIndex..<(lastIndex { !belongs($0) }.map { $0 + 1 } ?? startIndex)]
    }
}

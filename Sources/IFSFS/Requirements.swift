internal import Format

extension NodeKind {
    /// Throws for a node that has no bytes to be read or written.
    func requireFile() throws(FileSystemError) {
        switch self {
        case .file: return
        case .directory: throw .isDirectory
        case .symlink, .fifo, .characterDevice, .blockDevice, .socket: throw .invalid
        }
    }

    /// Throws for a node that rmdir(2) does not remove, if it is to be a directory, and unlink(2) else.
    func requireRemovable(asDirectory isDirectory: Bool) throws(FileSystemError) {
        if isDirectory, self != .directory { throw .notDirectory }
        if !isDirectory, self == .directory { throw .isDirectory }
    }
}

/// Names of extended attributes.
enum UserAttribute {
    /// Where Linux keeps what everybody may read. Source: xattr(7).
    static let nameSpace = "user."

    /// What of a name follows that; nil for a name that is elsewhere.
    static func own(_ name: String) -> String? {
        name.hasPrefix(nameSpace) ? String(name.dropFirst(nameSpace.count)) : nil
    }
}

/// Takes an error out of a closure that can only say whether it goes on.
struct CarriedError {
    private var error: FileSystemError?

    /// What `body` gives; false where it throws.
    mutating func goesOn(_ body: () throws(FileSystemError) -> Bool) -> Bool {
        do throws(FileSystemError) {
            return try body()
        } catch {
            self.error = error
            return false
        }
    }

    /// Throws what was thrown.
    func rethrow() throws(FileSystemError) { if let error { throw error } }
}

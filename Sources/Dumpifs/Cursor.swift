import Format
import Glibc

/// Opens the directories of an extraction, by one descriptor that moves among them.
///
/// The way down is name by name and follows no link, the way up is by `..`, held against what each
/// directory was on the way down: an extraction of any number of directories, however deep, takes few
/// descriptors and few steps, and none leads it astray.
final class Cursor: Sendable {
    /// What tells a directory from all others.
    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
    }

    private struct State {
        var place: Directory
        /// The open directory at `place`.
        var descriptor: Int32
        /// The directories from below the target to `place`.
        var identities: [Identity] = []
    }

    private let top: Directory
    private let target: Int32
    /// The mode of directories that are made on the way; what the image lists gets its own at the end.
    private let newMode: mode_t
    /// Held while a directory is in use, so that nobody moves on before that.
    private let state: Lock<State>

    /// Starts at `top`, whose descriptor `target` stays the caller's.
    init(_ top: Directory, _ target: Int32, newMode: mode_t) {
        self.top = top
        self.target = target
        self.newMode = newMode
        state = Lock(State(place: top, descriptor: target))
    }

    deinit {
        let last = state.withLock { $0.descriptor }
        if last != target { close(last) }
    }

    /// Calls `body` with a directory's descriptor; what is missing on the way is made.
    func withDescriptor<Result>(
        of directory: Directory, _ body: (Int32) throws(ExtractionFault) -> Result
    ) throws(ExtractionFault) -> Result {
        try state.withLock { state throws(ExtractionFault) in
            try go(to: directory, &state)
            return try body(state.descriptor)
        }
    }

    /// Makes a directory and returns true, or false where it is there already. One that is to get a
    /// mode at the end can then be written to until that.
    func make(_ directory: Directory, isOpening: Bool) throws(ExtractionFault) -> Bool {
        try state.withLock { state throws(ExtractionFault) in
            if let parent = directory.parent { try go(to: parent, &state) }
            let isNew = try enter(directory, &state, isOpening: isOpening)
            if !isNew, isOpening { openUp(state.descriptor) }
            return isNew
        }
    }

    // MARK: Moving

    private func go(to directory: Directory, _ state: inout State) throws(ExtractionFault) {
        var way: [Directory] = []
        var (wanted, shared, ups) = (directory, state.place, 0)
        while wanted !== shared {
            if wanted.depth >= shared.depth, let parent = wanted.parent {
                way.append(wanted)
                wanted = parent
            } else if let parent = shared.parent {
                ups += 1
                shared = parent
            }
        }
        if ups > shared.depth || !climb(ups, &state) {
            moveToTop(&state)
            while let parent = wanted.parent {
                way.append(wanted)
                wanted = parent
            }
        }
        for next in way.reversed() { _ = try enter(next, &state, isOpening: false) }
    }

    /// Goes up; false where a way up leads elsewhere than down from there, or is barred.
    private func climb(_ count: Int, _ state: inout State) -> Bool {
        for _ in 0..<count {
            guard let parent = state.place.parent else { return false }
            guard parent.depth > 0 else {
                moveToTop(&state)
                return true
            }
            let descriptor = unsafe openat(state.descriptor, "..", Self.flags)
            guard descriptor >= 0 else { return false }
            guard Self.identity(descriptor) == state.identities[parent.depth - 1] else {
                close(descriptor)
                return false
            }
            state.identities.removeLast()
            move(to: parent, descriptor, &state)
        }
        return true
    }

    /// Goes down by one name, which is made if it is missing. Returns whether it was.
    private func enter(
        _ directory: Directory, _ state: inout State, isOpening: Bool
    ) throws(ExtractionFault) -> Bool {
        let parent = state.descriptor
        let mode = newMode
        var isNew = false
        let (descriptor, failure) = unsafe withName(directory.name) { name in
            func opened() -> Int32 { unsafe openat(parent, name, Self.flags) }
            var descriptor = opened()
            if descriptor < 0, errno == ENOENT {
                isNew = unsafe mkdirat(parent, name, mode) == 0
                if isNew || errno == EEXIST { descriptor = opened() }
            } else if descriptor < 0, errno == EACCES, isOpening,
                unsafe fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0
            {
                descriptor = opened()
            }
            return (descriptor, errno)
        }
        guard descriptor >= 0, let identity = Self.identity(descriptor) else {
            let name = printable(directory.name)
            throw failure == ENOTDIR || failure == ELOOP
                ? ExtractionFault("'\(name)' is there and no directory; it is not followed")
                : ExtractionFault("cannot make '\(name)'", errno: failure)
        }
        state.identities.append(identity)
        move(to: directory, descriptor, &state)
        return isNew
    }

    private func moveToTop(_ state: inout State) {
        state.identities.removeAll()
        move(to: top, target, &state)
    }

    private func move(to place: Directory, _ descriptor: Int32, _ state: inout State) {
        if state.descriptor != target { close(state.descriptor) }
        state.place = place
        state.descriptor = descriptor
    }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    private static func identity(_ descriptor: Int32) -> Identity? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return Identity(device: status.st_dev, inode: status.st_ino)
    }

    private func openUp(_ descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IRWXU != S_IRWXU else {
            return
        }
        // Where it is another user's this fails, and the files in it say so.
        fchmod(descriptor, (status.st_mode & 0o7777) | S_IRWXU)
    }
}

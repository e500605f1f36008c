internal import Format
internal import Mkifs

/// What a new image has room for that is made of the one that is mounted. Nothing is looked up before
/// it is asked for.
final class ImageRoom: StageRoom {
    private let volume: IFS.ImageVolume
    /// The numbers that the volume's nodes go by, where these are others than its own.
    private let renumbered: RenumberedVolume?
    private let room = Lock<RevisionRoom?>(nil)

    /// The room of an image's volume; nil for another.
    init?(_ volume: any Volume) {
        renumbered = volume as? RenumberedVolume
        guard let own = (renumbered?.volume ?? volume) as? IFS.ImageVolume else { return nil }
        self.volume = own
    }

    func directoryGrowth() throws(FileSystemError) -> UInt64 { try found().directoryGrowth }

    func holeByteCount() throws(FileSystemError) -> UInt64 { try found().holeByteCount }

    func freeNumbers() -> UInt64 {
        let numbers = volume.image.directory.entries.map { $0.inode & IFS.Dirent.inodeMask }
        return UInt64(IFS.Dirent.inodeMask &- (numbers.max() ?? 0))
    }

    func recordSize(_ kind: NodeKind, path: Int, target: Int) -> UInt64 {
        let text = { [UInt8](repeating: 0x78, count: max(0, $0)) }
        let body: Revision.Kind =
            switch kind {
            case .file: .file(.new(.bytes([])))
            case .directory: .directory
            case .symlink: .symlink(target: text(target))
            case .fifo, .characterDevice, .blockDevice, .socket:
                .device(device: 0, rawDevice: 0)
            }
        return RevisionRoom.recordSize(
            of: Revision.Node(text(path), body, mode: kind.rawValue))
    }

    func hasRecord(_ directory: NodeID) -> Bool {
        let own = renumbered.map { $0.number(of: directory) } ?? directory
        return own.flatMap(volume.entry) != nil
    }

    func mostBytes(_ load: StageLoad) throws(FileSystemError) -> UInt64 {
        // The place of a file that is no program begins anywhere; a program's on a page.
        let pages = 4096 &* UInt64(clamping: load.count)
        return try found().mostBytes(
            added: load.added &+ pages, touched: load.freed, count: load.count,
            growth: UInt64(clamping: load.growth))
    }

    private func found() throws(FileSystemError) -> RevisionRoom {
        try room.withLock { room throws(FileSystemError) in
            if let room { return room }
            do throws(MkifsError) {
                let found = try RevisionRoom(volume.image)
                room = found
                return found
            } catch .format(let error) {
                throw .format(error)
            } catch {
                throw .readOnly
            }
        }
    }
}

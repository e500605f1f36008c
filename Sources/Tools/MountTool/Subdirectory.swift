import Format
import IFSFS
import ToolSupport

extension Volume {
    /// The directory at `path` as if it were the root; the whole for an empty path. An error says that
    /// the file called `name` has none.
    func subtree(_ path: [UInt8], of name: String) throws(ToolError) -> any Volume {
        guard !path.isEmpty else { return self }
        do throws(FileSystemError) {
            return try SubtreeVolume(self, at: path)
        } catch {
            let found = error == .notDirectory ? "no directory" : "nothing"
            throw ToolError(
                "\(name): subdir: found \(found) at '\(printable(path))',"
                    + " expected a directory of the image", .subdirectory)
        }
    }
}

extension IFS.ImageVolume {
    /// Entries that the tree leaves out or shows with a reservation.
    var doubtCount: Int { findings.count + image.directory.skipped.count }
}

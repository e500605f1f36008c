internal import Synchronization

/// Notices that the file behind a mount is no longer as it was when it was mounted.
///
/// Once changed it stays so, whatever the file becomes later: what the kernel has cached and what
/// would be read now need not belong together.
public final class ImageWatch: Sendable {
    private let hasChanged: @Sendable () -> Bool
    private let report: @Sendable () -> Void
    private let isReplaced = Atomic(false)

    /// Asks `hasChanged` at each check; calls `report` once, at the first that sees a change.
    public init(
        _ hasChanged: @escaping @Sendable () -> Bool, report: @escaping @Sendable () -> Void
    ) {
        self.hasChanged = hasChanged
        self.report = report
    }

    /// Throws `replaced` when the file has changed.
    func check() throws(FileSystemError) {
        if isReplaced.load(ordering: .relaxed) { throw .replaced }
        guard hasChanged() else { return }
        if !isReplaced.exchange(true, ordering: .relaxed) { report() }
        throw .replaced
    }
}

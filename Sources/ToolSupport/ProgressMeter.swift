internal import Format
internal import Glibc

/// Shows on a terminal how far something is that takes longer than a moment; elsewhere nothing.
public final class ProgressMeter {
    private let lead: String
    private var shown: UInt64?
    private let isShowing = isatty(STDERR_FILENO) == 1
    private let start = time(nil)

    /// A meter whose line begins so.
    public init(_ lead: String = "") { self.lead = lead.isEmpty ? "" : lead + " " }

    /// Shows how much of a whole is done.
    public func show(_ done: UInt64, of total: UInt64) {
        guard isShowing else { return }
        let percent = min(100, done &* 100 / max(total, 1))
        guard percent != shown, time(nil) > start else { return }
        shown = percent
        say("\r\(lead)\(percent) % ")
    }

    /// Takes the line away again.
    public func finish() {
        guard shown != nil else { return }
        say("\r" + String(repeating: " ", count: lead.count + 6) + "\r")
    }

    private func say(_ text: String) {
        // Nothing depends on it.
        _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}

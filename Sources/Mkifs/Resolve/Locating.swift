internal import Format

extension Resolver {
    /// An error of the layout at the line that it comes from, where there is one.
    func located(_ error: MkifsError) -> MkifsError {
        let mark: SourceMark? =
            switch error {
            case .file(let path, _), .command(let path, _): mark(of: path)
            case .limit(let attribute, _): scope.imageMarks[attribute]
            case .buildfile, .system, .format, .refused: nil
            }
        guard let mark else { return error }
        return .buildfile([Diagnostic(at: mark, error.description)], omittedCount: 0)
    }

    /// The first line that takes in a file of the host.
    private func mark(of path: [UInt8]) -> SourceMark? {
        if let startup = boot?.startup, startup.content.name == path { return startup.mark }
        return drafts.first { $0.contentName == path }?.mark
    }
}

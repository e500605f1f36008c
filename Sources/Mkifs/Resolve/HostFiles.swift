internal import Format

extension Resolver {
    /// Finds a file of the host; nil after the warning, or the error, that it is missing.
    mutating func find(
        _ name: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark,
        isNeeded: Bool = false, followsLinks: Bool = true
    ) throws(Diagnostic) -> (path: [UInt8], status: HostStatus)? {
        let search: [UInt8]
        if let given = attributes.search {
            search = given
        } else {
            search = try Word(reference: "MKIFS_PATH", at: mark).expanded(lookup)
        }
        if let found = HostSearch.find(
            name, from: attributes.directory, search: search, in: options.files,
            followsLinks: followsLinks, telling: options.tellSearch)
        {
            dependencies.append(found.path)
            return found
        }
        missingCount += 1
        if options.isCheck { return nil }
        let target = options.environment[Array("QNX_TARGET".utf8)]
        let hint =
            name.first != .slash && target == nil && attributes.search == nil
            ? "QNX_TARGET is not set" : nil
        guard attributes.isOptional, !isNeeded else {
            throw Diagnostic(at: mark, "host file \(quoted(name)) not available", hint: hint)
        }
        diagnostics.add(
            Diagnostic(.warning, at: mark, "host file \(quoted(name)) missing", hint: hint))
        return nil
    }

    mutating func addDirectory(
        _ target: [UInt8], like source: [UInt8]?, _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        var base = Draft.Base(permissions: 0o755)
        if let source {
            guard let found = try find(source, attributes, mark) else { return }
            base = Draft.Base(found.status)
        }
        addDraft(target, .directory, attributes, base, mark)
    }

    mutating func addFile(
        _ target: [UInt8], _ source: [UInt8]?, _ attributes: EntryAttributes, _ mark: SourceMark
    ) throws(Diagnostic) {
        let follows = attributes.followsLinks
        guard
            let found = try find(source ?? target, attributes, mark, followsLinks: follows)
        else { return }
        if found.status.kind == .directory {
            try importDirectory(
                found.path, found.status, as: source == nil ? [] : target, attributes, mark)
        } else {
            try addFound(
                found.path, found.status, as: source == nil ? lastComponent(target) : target,
                attributes, mark)
        }
    }

    mutating func addFound(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark
    ) throws(Diagnostic) {
        switch status.kind {
        case .link:
            do throws(MkifsError) {
                let text = try Host.target(ofLink: path)
                addDraft(target, .link(text: text), attributes, .init(permissions: 0o777), mark)
            } catch {
                throw Diagnostic(at: mark, error.description)
            }
        case .file:
            guard attributes.filter != nil || status.byteCount <= UInt64(UInt32.max) else {
                throw Diagnostic(
                    at: mark,
                    "\(quoted(path)): found \(status.byteCount) bytes, expected less than 4 GiB")
            }
            let file = HostFile(path, byteCount: status.byteCount)
            let plain = options.files.content(path, status)
            try checkDigests(of: plain, path, attributes, mark)
            let content = attributes.filter.map { .filtered(file, command: $0) } ?? plain
            let isLinked = options.keepsHardLinks && status.linkCount > 1
            addDraft(
                target, .content(content), attributes, .init(status), mark,
                hardLink: isLinked ? status.identity : nil)
        case .fifo: addDraft(target, .fifo, attributes, .init(status), mark)
        case .directory, .device, .other:
            throw Diagnostic(
                at: mark, "\(quoted(path)): found a special file, expected a file or a directory")
        }
    }

    /// Takes in, as the operand behind a buildfile, what of a directory no line of that has named: each
    /// file under its own path, whatever prefix holds.
    mutating func importOperand(
        _ path: [UInt8], _ status: HostStatus, _ mark: SourceMark
    ) throws(Diagnostic) {
        let prefix = boot == nil ? [] : Array("proc/boot".utf8)
        named = NamedFiles(
            dependencies + importedFolders, below: status.identity,
            directories: drafts.filter(\.isDirectory).map { $0.path(defaultPrefix: prefix) })
        var attributes = scope.defaults
        attributes.prefix = []
        try importDirectory(path, status, as: [], attributes, mark)
    }

    /// Takes in what a directory of the host has, in the order of its names.
    mutating func importDirectory(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark
    ) throws(Diagnostic) {
        guard imported.insert([path, target]).inserted else {
            diagnostics.add(
                Diagnostic(.warning, at: mark, "\(quoted(path)) is taken in already"))
            return
        }
        try importTree(path, status, as: target, attributes, mark, above: [])
    }

    private mutating func importTree(
        _ path: [UInt8], _ status: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark, above: [HostStatus.Identity]
    ) throws(Diagnostic) {
        guard !above.contains(status.identity) else {
            throw Diagnostic(at: mark, "\(quoted(path)) leads back to a directory above it")
        }
        importedFolders.append(path)
        if !named.contains(target) {
            addDraft(target, .directory, attributes, .init(status), mark)
        }
        let names: [[UInt8]]
        do throws(MkifsError) {
            names = try Host.names(in: path)
        } catch {
            throw Diagnostic(at: mark, error.description)
        }
        for name in names where !diagnostics.isFull {
            let (child, place) = (join(path, name), join(target, name))
            do throws(Diagnostic) {
                try importChild(child, as: place, attributes, mark, above + [status.identity])
            } catch {
                diagnostics.add(error)
            }
        }
    }

    private mutating func importChild(
        _ path: [UInt8], as target: [UInt8], _ attributes: EntryAttributes, _ mark: SourceMark,
        _ above: [HostStatus.Identity]
    ) throws(Diagnostic) {
        guard let found = options.files.status(of: path, followsLinks: attributes.followsLinks)
        else {
            _ = try find(path, attributes, mark)
            return
        }
        switch found.kind {
        case .directory: try importTree(path, found, as: target, attributes, mark, above: above)
        case .file, .link, .fifo, .device, .other:
            guard !named.contains(target) else { return }
            try importFile(path, found, as: target, attributes, mark)
        }
    }

    private mutating func importFile(
        _ path: [UInt8], _ found: HostStatus, as target: [UInt8], _ attributes: EntryAttributes,
        _ mark: SourceMark
    ) throws(Diagnostic) {
        switch found.kind {
        case .other:
            diagnostics.add(
                Diagnostic(.warning, at: mark, "\(quoted(path)) is a special file; left out"))
        case .device(let device):
            addDraft(target, .device(device), attributes, .init(found), mark)
        case .file, .directory, .link, .fifo:
            dependencies.append(path)
            try addFound(path, found, as: target, attributes, mark)
        }
    }
}

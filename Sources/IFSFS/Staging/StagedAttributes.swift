public import Format

/// Extended attributes: the volume's, and those that were set here, which say how the contents of a
/// file are stored in the image.
extension StagedFileSystem {
    /// Those that were set here; the volume's own are not listed, so that they are not copied along.
    public func extendedAttributeNames(of node: NodeID) throws(FileSystemError) -> [String] {
        state.withLock { $0.tree.nodes[node]?.extendedAttributes.keys.sorted() ?? [] }
            .map { UserAttribute.nameSpace + $0 }
    }

    /// What was set here, else the volume's.
    public func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) -> [UInt8] {
        guard let own = UserAttribute.own(name) else { throw .noAttribute }
        return try withState { state throws(FileSystemError) in
            if let value = state.tree.nodes[node]?.extendedAttributes[own] { return value }
            guard !state.tree.isNew(node) else { throw .noAttribute }
            let base = state.tree.base
            let value = try format { () throws(FormatError) in
                try base.extendedAttribute(own, of: node)
            }
            guard let value else { throw .noAttribute }
            return value
        }
    }

    /// Of a file, one that the format has a use for, with a value of its sort: `unsupported` and
    /// `invalid` otherwise. The file's contents come into the stage, to be stored anew with it.
    public func setExtendedAttribute(
        _ name: String, _ value: [UInt8], of node: NodeID, _ rule: AttributeRule
    ) throws(FileSystemError) {
        let own = try settable(name)
        try changeAttributes(of: node) { attributes throws(FileSystemError) in
            switch (rule, attributes[own]) {
            case (.onlyNew, .some): throw .exists
            case (.onlyPresent, nil): throw .noAttribute
            default: break
            }
            guard limits.accepts(own, value) == true else { throw .invalid }
            attributes[own] = value
        }
    }

    /// One that was set here.
    public func removeExtendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FileSystemError) {
        let own = try settable(name)
        try changeAttributes(of: node) { attributes throws(FileSystemError) in
            guard attributes.removeValue(forKey: own) != nil else { throw .noAttribute }
        }
    }

    private func changeAttributes(
        of node: NodeID, _ change: (inout [String: [UInt8]]) throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        try changing { state throws(FileSystemError) in
            guard try state.attributes(of: node).kind == .file else { throw .unsupported }
            var staged = try state.staged(node)
            try change(&staged.extendedAttributes)
            if !state.tree.hasContents(node) {
                try contents(of: node, changing: 0..<0, &state).done()
            }
            staged.contents = state.tree.nodes[node]?.contents ?? .base
            staged.borrowed = state.tree.nodes[node]?.borrowed ?? RangeSet()
            try add([.node(node, staged)], to: &state)
        }
    }

    /// A name that can be set, without `user.`. What the image tells of its own accord cannot, like
    /// any other: copying tools pass over that in silence.
    private func settable(_ name: String) throws(FileSystemError) -> String {
        guard let own = UserAttribute.own(name), limits.accepts(own, []) != nil else {
            throw .unsupported
        }
        return own
    }
}

public import Format
internal import Glibc
internal import Mkifs

extension DirectoryFileSystem {
    /// Gives the host's node other attributes; what it does not take is kept in the stage.
    public func change(
        _ node: NodeID, _ change: AttributeChange
    ) throws(FileSystemError) -> Attributes {
        if let time = change.modified { try limits.check(time: time) }
        return try changing { state throws(FileSystemError) in
            if let count = change.byteCount { try resize(node, to: count, &state) }
            let before = try state.attributes(of: node, tree)
            guard change.changes(before) else { return before }
            try noteChange(&state)
            try give(change, to: node, &state)
            return try state.attributes(of: node, tree)
        }
    }

    /// Tries each attribute on the host, and keeps what that does not have then.
    func give(
        _ change: AttributeChange, to node: NodeID, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        let before = try state.attributes(of: node, tree)
        var kept = state.kept(of: node)
        try state.with(node, tree) { spot throws(FileSystemError) in
            if change.user != nil || change.group != nil {
                try giveOwner(change, to: spot, &kept)
            }
            // Another owner may cost a file its setuid bit.
            if before.kind != .symlink {
                try giveMode(change.permissions ?? before.permissions, to: spot, &kept)
            }
            if let time = change.modified { try giveTime(time, to: spot, &kept) }
        }
        try keep(kept, of: node, &state)
    }

    private func giveOwner(
        _ change: AttributeChange, to spot: HostSpot, _ kept: inout HostAttributes
    ) throws(FileSystemError) {
        let nobody = uid_t.max
        let before = try spot.status()
        if let group = change.group, group != before.group {
            try pass(spot.changeOwner(nobody, group))
        }
        if let user = change.user, user != before.user {
            try pass(spot.changeOwner(user, nobody))
        }
        let after = try spot.status()
        if let user = change.user { kept.user = after.user == user ? nil : user }
        if let group = change.group { kept.group = after.group == group ? nil : group }
    }

    private func giveMode(
        _ permissions: UInt32, to spot: HostSpot, _ kept: inout HostAttributes
    ) throws(FileSystemError) {
        let permissions = permissions & 0o7777
        let before = try spot.status()
        let given = permissions | needed(before.kind)
        if before.permissions != given { try pass(spot.changeMode(given)) }
        kept.permissions = try spot.status().permissions == permissions ? nil : permissions
    }

    /// What the server needs itself to go on reading, and to go on changing what is in a directory.
    private func needed(_ kind: NodeKind) -> UInt32 {
        if isPrivileged { return 0 }
        return kind == .directory ? 0o700 : 0o400
    }

    private func giveTime(
        _ time: Int64, to spot: HostSpot, _ kept: inout HostAttributes
    ) throws(FileSystemError) {
        try pass(spot.changeTime(time))
        kept.modified = try spot.status().modified == time ? nil : time
    }

    /// Lets refusals pass that speak of what the host cannot hold, or not for this user.
    private func pass(_ failure: Int32) throws(FileSystemError) {
        switch failure {
        case 0, EPERM, EACCES, EOPNOTSUPP, EINVAL, EOVERFLOW: return
        default: throw .ofHost(failure)
        }
    }

    /// Notes what the host has not taken of a node.
    func keep(
        _ kept: HostAttributes, of node: NodeID, _ state: inout DirectoryState
    ) throws(FileSystemError) {
        guard kept != state.kept(of: node) else { return }
        if let path = state.nodes.path(of: node) {
            try add([.kept(DirectoryState.joined(path), kept)], to: &state)
        } else {
            state.open[node]?.kept = kept
        }
    }
}

extension AttributeChange {
    /// Whether a node with these attributes comes to have others, but for its size.
    fileprivate func changes(_ found: Attributes) -> Bool {
        permissions ?? found.permissions != found.permissions
            || user ?? found.user != found.user || group ?? found.group != found.group
            || modified ?? found.modified != found.modified
    }
}

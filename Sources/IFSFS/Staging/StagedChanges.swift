public import Format
internal import Glibc

extension StagedFileSystem {
    /// A new node under a new name.
    public func make(
        _ name: [UInt8], in directory: NodeID, _ new: NewNode
    ) throws(FileSystemError) -> Attributes {
        try limits.check(name)
        try limits.check(device: new.device)
        return try changing { state throws(FileSystemError) in
            try state.requireDirectory(directory)
            guard try state.found(name, in: directory) == nil else { throw .exists }
            let path = try state.pathLength(of: directory) + name.count
            try check(path: path)
            let time = clock()
            var node = StagedNode(
                kind: new.kind, permissions: new.permissions & 0o7777, user: new.user,
                group: new.group, modified: time, target: new.target,
                device: .init(major: new.device.major, minor: new.device.minor))
            let load = try state.load(making: node, in: directory, path: path)
            try require(load, &state)
            let number = state.tree.takeNumber()
            if new.kind == .file { node.contents = .log }
            try add([.node(number, node), .name(name, in: directory, number)], to: &state)
            state.load = load
            state.nodeCount &+= 1
            state.tree.touch(directory, at: time)
            return try state.attributes(of: number)
        }
    }

    /// Takes a name away, and with its last name a node that nobody has open.
    public func remove(
        _ name: [UInt8], from directory: NodeID, isDirectory: Bool
    ) throws(FileSystemError) {
        let gone = try changing { state throws(FileSystemError) -> NodeID? in
            try state.requireDirectory(directory)
            let node = try state.node(name, in: directory)
            try state.requireRemovable(node, isDirectory: isDirectory)
            let load = try state.load(removing: node, name, from: directory)
            try add([.name(name, in: directory, nil)], to: &state)
            state.load = load
            try state.noteLoss(of: node)
            state.tree.touch(directory, at: clock())
            return state.forget(node) ? node : nil
        }
        if let gone { removeContents(of: gone) }
    }

    /// Gives a node another name.
    public func rename(
        _ name: [UInt8], in directory: NodeID, to newName: [UInt8], in newDirectory: NodeID,
        _ rule: RenameRule
    ) throws(FileSystemError) {
        try limits.check(newName)
        let gone = try changing { state throws(FileSystemError) -> NodeID? in
            try state.requireDirectory(directory)
            try state.requireDirectory(newDirectory)
            let node = try state.node(name, in: directory)
            let other = try state.found(newName, in: newDirectory)
            if node == other, rule != .exchange { return nil }
            try state.requireRoom(for: node, in: newDirectory)
            if rule == .exchange, let other { try state.requireRoom(for: other, in: directory) }
            try checkPaths(of: node, named: newName, in: newDirectory, state)
            switch rule {
            case .keep where other != nil: throw .exists
            case .exchange:
                guard let other else { throw .notFound }
                try checkPaths(of: other, named: name, in: directory, state)
                let load = try state.load(
                    renaming: node, name, in: directory, to: newName, in: newDirectory, for: other)
                try require(load, &state)
                try add(
                    [
                        .name(name, in: directory, other),
                        .name(newName, in: newDirectory, node),
                    ], to: &state)
                state.load = load
            case .keep, .replace:
                if let other {
                    let isDirectory = try state.attributes(of: node).kind == .directory
                    try state.requireRemovable(other, isDirectory: isDirectory)
                    // What takes another's place must be whole before that is gone.
                    try synchronizeContents(of: node, &state)
                }
                let load = try state.load(
                    renaming: node, name, in: directory, to: newName, in: newDirectory, over: other)
                try require(load, &state)
                try add(
                    [.name(name, in: directory, nil), .name(newName, in: newDirectory, node)],
                    to: &state)
                state.load = load
                if let other { try state.noteLoss(of: other) }
            }
            let time = clock()
            state.tree.touch(directory, at: time)
            state.tree.touch(newDirectory, at: time)
            guard rule != .exchange, let other else { return nil }
            return state.forget(other) ? other : nil
        }
        if let gone { removeContents(of: gone) }
    }

    /// Other permissions, owners, times and sizes.
    public func change(
        _ node: NodeID, _ change: AttributeChange
    ) throws(FileSystemError) -> Attributes {
        if let time = change.modified { try limits.check(time: time) }
        return try changing { state throws(FileSystemError) in
            if let count = change.byteCount { try resize(node, to: count, &state) }
            var staged = try state.staged(node)
            if let permissions = change.permissions { staged.permissions = permissions & 0o7777 }
            if let user = change.user { staged.user = user }
            if let group = change.group { staged.group = group }
            if let time = change.modified {
                staged.modified = time
                staged.isTimeSet = true
            }
            if try staged != state.staged(node) {
                let load = try state.load(changing: node)
                try require(load, &state)
                try add([.node(node, staged)], to: &state)
                state.load = load
            }
            return try state.attributes(of: node)
        }
    }
}

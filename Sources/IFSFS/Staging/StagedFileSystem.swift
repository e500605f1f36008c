public import Format
internal import Glibc

/// A volume that can be changed: edits are kept in a stage and lie over what the volume has.
///
/// Whatever returns without an error is in the stage. The volume itself is only read.
public final class StagedFileSystem: WritableFileSystem {
    let stage: Stage
    /// What a commit holds while it looks at the tree and its contents.
    let gate = Gate()
    let limits: StageLimits
    let clock: @Sendable () -> Int64
    let state: Lock<StagedState>
    private let rootSynchronized: Lock<(@Sendable () throws(FileSystemError) -> Void)?> = Lock(nil)

    /// Contents that are at hand for one call.
    struct Handle {
        let descriptor: Int32
        let isKept: Bool

        func done() { if !isKept { Glibc.close(descriptor) } }
    }

    /// A volume, without edits yet. The watch tells when its bytes are no longer the same; `clock`
    /// gives seconds since 1970.
    public init(
        _ base: any Volume, _ stage: Stage, _ limits: StageLimits, watch: ImageWatch? = nil,
        clock: @escaping @Sendable () -> Int64 = StagedFileSystem.now
    ) {
        self.stage = stage
        self.limits = limits
        self.clock = clock
        state = Lock(StagedState(StagedTree(base), watch, limits))
    }

    /// Goes on with the edits that an earlier mount has left in the stage, of the image in `target`;
    /// returns false where that image has them all. Before anything else is asked of the file system.
    /// Throws `busy` while another process has them, and `replaced` where they are of another image.
    public func resume(_ target: [UInt8]) throws(FileSystemError) -> Bool {
        try withState { state throws(FileSystemError) in
            var failure: FormatError?
            let isLeft = try stage.resume(target) { entry in
                switch entry {
                case .contents(let node, let place): state.tree.apply(contents: place, of: node)
                case .edits(let edits):
                    do throws(FormatError) {
                        for edit in edits { try state.tree.apply(edit) }
                    } catch {
                        failure = failure ?? error
                    }
                }
            }
            if let failure { throw .format(failure) }
            guard isLeft else { return false }
            state.changeCount = 1
            for (node, staged) in state.tree.nodes {
                if state.tree.isNameless(node) {
                    if state.forget(node) { stage.remove(node) }
                } else if staged.contents == .data {
                    try resume(node, staged, &state)
                } else if staged.contents == .log {
                    state.synchronized.insert(node)
                }
            }
            try state.countLoad()
            return true
        }
    }

    /// Goes on with the contents of a file. Where they have not come to the disk, a file of the volume
    /// has those that it has there, and a new one none.
    private func resume(
        _ node: NodeID, _ staged: StagedNode, _ state: inout StagedState
    ) throws(FileSystemError) {
        if let count = try stage.byteCount(of: node) {
            state.tree.sizes[node] = count
            state.synchronized.insert(node)
        } else if state.tree.isNew(node) {
            Glibc.close(try stage.create(node))
            state.tree.sizes[node] = 0
        } else {
            var kept = staged
            kept.contents = .base
            try format { () throws(FormatError) in try state.tree.apply(.node(node, kept)) }
        }
    }

    /// Seconds since 1970.
    public static let now: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// Goes on with a volume that has all edits; the caller holds the gate. Whoever has a file open that
    /// has no name any more keeps it. `isAlike` tells that the volume itself gives every path the number
    /// that the one before gave it.
    func rebase(
        _ volume: any Volume, _ watch: ImageWatch, isAlike: Bool
    ) throws(FormatError) {
        try state.withLock { state throws(FormatError) in
            let nameless = state.open.keys.filter(state.tree.isNameless)
            try keep(nameless, &state)
            let renumbered = state.tree.base as? RenumberedVolume
            if isAlike, nameless.isEmpty, state.tree.hasNumbersOfBase, renumbered == nil {
                state.tree = StagedTree(volume)
            } else if isAlike, nameless.isEmpty, state.tree.hasNumbersOfBase,
                let base = renumbered?.over(volume)
            {
                stage.renumber(as: base)
                state.tree = StagedTree(base)
            } else {
                let base = try RenumberedVolume(
                    volume, as: state.tree, hasNameless: !nameless.isEmpty)
                stage.renumber(as: base)
                state.tree = StagedTree(base, after: state.tree, keeping: nameless)
            }
            state.watch = watch
            state.forgetLoad(limits, volume.statistics)
            state.synchronized = []
            for node in Array(state.open.keys) where !nameless.contains(node) {
                state.open[node]?.retire()
            }
        }
    }

    /// Has `action` called by each `synchronize` of the root; what it throws is what that throws.
    func whenRootIsSynchronized(
        _ action: @escaping @Sendable () throws(FileSystemError) -> Void
    ) { rootSynchronized.withLock { $0 = action } }

    func noteSynchronized(_ node: NodeID) throws(FileSystemError) {
        guard node == .root, let action = rootSynchronized.withLock({ $0 }) else { return }
        try action()
    }

    /// Opens what files without a name have in the stage: their contents have none either from now on.
    private func keep(
        _ nameless: [NodeID], _ state: inout StagedState
    ) throws(FormatError) {
        for node in nameless where state.tree.hasContents(node) {
            do throws(FileSystemError) {
                let file = try handle(of: node, &state)
                try bring(0..<(.max), of: node, to: file.descriptor, &state)
            } catch {
                throw .io(Place("contents in the stage", 0), errno: error.errno)
            }
        }
    }

    /// How often something was changed.
    var changeCount: UInt64 { state.withLock { $0.changeCount } }

    /// The tree as it is now.
    func tree() -> StagedTree { state.withLock { $0.tree } }

    /// The tree as it is now, and how often it has been changed.
    func snapshot() -> (tree: StagedTree, changes: UInt64) {
        state.withLock { ($0.tree, $0.changeCount) }
    }

    // MARK: Reading

    /// The volume's, with what the edits add.
    public var statistics: VolumeStatistics {
        state.withLock { state in
            let count = state.byteCount
            let free = min(
                limits.largestImage &- min(limits.largestImage, count), stage.room(),
                state.freeByteCount(limits))
            return VolumeStatistics(
                byteCount: count &+ free, freeByteCount: free, nodeCount: state.nodeCount,
                freeNodeCount: state.freeNodeCount())
        }
    }

    /// Nothing: only what is read from the volume has to be the same still.
    public func verify() throws(FileSystemError) {}

    /// The volume's.
    public func prepare(_ goesOn: () -> Bool) { state.withLock { $0.tree.base }.prepare(goesOn) }

    /// The node's, with the edits.
    public func attributes(of node: NodeID) throws(FileSystemError) -> Attributes {
        try withState { state throws(FileSystemError) in try state.attributes(of: node) }
    }

    /// A look-up in the tree as it is now.
    public func lookup(
        _ name: [UInt8], in directory: NodeID
    ) throws(FileSystemError) -> Attributes {
        try withState { state throws(FileSystemError) in
            try state.requireDirectory(directory)
            return try state.attributes(of: try state.node(name, in: directory))
        }
    }

    /// `.` and `..`, then the entries as they are now.
    public func entries(
        of directory: NodeID, from index: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>, Attributes) -> Bool
    ) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            let own = try state.requireDirectory(directory)
            let tree = state.tree
            let parent = try format { () throws(FormatError) in try tree.parent(of: directory) }
            let above = try state.attributes(of: parent ?? directory)
            guard unsafe listDots(own, in: above, from: index, body) else { return }
            var carried = CarriedError()
            try format { () throws(FormatError) in
                unsafe try tree.entries(of: directory, from: max(2, index) - 2) {
                    place, name, node in
                    carried.goesOn { () throws(FileSystemError) in
                        unsafe body(place + 2, name, try state.attributes(of: node))
                    }
                }
            }
            try carried.rethrow()
        }
    }

    /// The link's text.
    public func target(of node: NodeID) throws(FileSystemError) -> [UInt8] {
        try withState { state throws(FileSystemError) in
            guard try state.attributes(of: node).kind == .symlink else { throw .invalid }
            if let staged = state.tree.nodes[node], !staged.target.isEmpty { return staged.target }
            let base = state.tree.base
            let target = try format { () throws(FormatError) in try base.target(of: node) }
            guard let target else { throw .invalid }
            return target
        }
    }

    // MARK: Open files

    /// Counts.
    public func open(_ node: NodeID) throws(FileSystemError) {
        try withState { state throws(FileSystemError) in
            try state.requireFile(node)
            state.open[node, default: .init()].count += 1
        }
    }

    /// Counts; with the last, the contents of a file without a name go.
    public func close(_ node: NodeID) {
        let left = state.withLock { state -> (descriptors: [Int32], isGone: Bool) in
            guard var file = state.open[node] else { return ([], false) }
            file.count -= 1
            state.open[node] = file.count > 0 ? file : nil
            guard file.count <= 0 else { return ([], false) }
            return (file.descriptors, state.forget(node))
        }
        for descriptor in left.descriptors { Glibc.close(descriptor) }
        if left.isGone { removeContents(of: node) }
    }
}

extension StagedFileSystem {
    func withState<Result>(
        _ body: (inout StagedState) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        try state.withLock { state throws(FileSystemError) in try body(&state) }
    }

    /// As `withState`, for what a commit must not see half of.
    func changing<Result>(
        _ body: (inout StagedState) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        try gate.pass { () throws(FileSystemError) in try withState(body) }
    }

    /// Keeps edits in the stage, and only then makes them so.
    func add(_ edits: [Edit], to state: inout StagedState) throws(FileSystemError) {
        try stage.add(edits)
        state.changeCount &+= 1
        for edit in edits {
            try format { () throws(FormatError) in try state.tree.apply(edit) }
        }
    }

    // MARK: Limits

    func check(path count: Int) throws(FileSystemError) {
        guard count <= limits.longestPath else { throw .nameTooLong }
    }

    /// The paths of a node and of all below it, once it has another name.
    func checkPaths(
        of node: NodeID, named name: [UInt8], in directory: NodeID, _ state: StagedState
    ) throws(FileSystemError) {
        let own = try state.pathLength(of: directory) + name.count
        try check(path: own + (try state.depth(below: node)))
    }

    func check(
        size: UInt64, of node: NodeID, _ state: inout StagedState
    ) throws(FileSystemError) {
        guard size <= limits.largestFile else { throw .tooLarge }
        guard try size > state.attributes(of: node).byteCount else { return }
        try require(state.load(resizing: node, to: size), &state)
    }
}

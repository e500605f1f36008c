import Format
import IFSFS
import TestSupport
import Testing

/// Owners and permissions that a mount shows in the place of the image's own.
struct OwnershipTests {
    private let volume: DictionaryVolume

    init() throws { volume = DictionaryVolume.sample() }

    /// Every node by `attributes`, and once more as look-ups and listings give it.
    private func everywhere(_ fileSystem: VolumeFileSystem) throws -> [Attributes] {
        var found: [Attributes] = []
        for node in DictionaryVolume.numbers.values {
            let attributes = try fileSystem.attributes(of: node)
            found.append(attributes)
            guard attributes.kind == .directory else { continue }
            for entry in try fileSystem.list(node) {
                found.append(entry.attributes)
                if entry.index > 1 { found.append(try fileSystem.lookup(entry.name, in: node)) }
            }
        }
        return found
    }

    @Test func nothingAskedForChangesNothing() throws {
        for attributes in try everywhere(VolumeFileSystem(volume)) {
            #expect(attributes == volume.nodes[attributes.node]?.attributes)
        }
    }

    @Test(arguments: [0, 1, 65534, UInt32.max - 1] as [UInt32])
    func theUserIsShownEverywhereAndNothingElseChanges(user: UInt32) throws {
        for attributes in try everywhere(VolumeFileSystem(volume, Ownership(user: user))) {
            var expected = try #require(volume.nodes[attributes.node]).attributes
            expected.user = user
            #expect(attributes == expected)
        }
    }

    @Test(arguments: [0, 1, 65534, UInt32.max - 1] as [UInt32])
    func theGroupIsShownEverywhereAndNothingElseChanges(group: UInt32) throws {
        for attributes in try everywhere(VolumeFileSystem(volume, Ownership(group: group))) {
            var expected = try #require(volume.nodes[attributes.node]).attributes
            expected.group = group
            #expect(attributes == expected)
        }
    }

    static let masks: [UInt32] = [0, 0o22, 0o77, 0o777, 0o7777, 0o4000]

    @Test(arguments: masks, masks)
    func eachMaskTakesBitsFromItsOwnKind(file: UInt32, directory: UInt32) throws {
        let ownership = Ownership(fileMask: file, directoryMask: directory)
        for attributes in try everywhere(VolumeFileSystem(volume, ownership)) {
            var expected = try #require(volume.nodes[attributes.node]).attributes
            switch expected.kind {
            case .symlink: break
            case .directory: expected.permissions &= ~directory
            default: expected.permissions &= ~file
            }
            #expect(attributes == expected)
        }
    }
}

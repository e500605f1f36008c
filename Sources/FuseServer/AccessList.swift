/// An access control list as an extended attribute has it. Source: Linux
/// `include/uapi/linux/posix_acl_xattr.h`.
///
/// Tools that copy give each file a list that says no more than its mode, and ask for the mode only
/// where that is refused.
enum AccessList {
    static let name = "system.posix_acl_access"
    /// With that of what is made in a directory.
    static let names = [name, "system.posix_acl_default"]

    /// The mode that a list comes to: a version, 2, and an entry each for the owner, the group and all
    /// others, of a tag, a mode and an unused number. Nil for one that says more.
    static func permissions(_ list: [UInt8]) -> UInt32? {
        guard list.count == 4 + 3 * 8, list.prefix(4) == [2, 0, 0, 0] else { return nil }
        var permissions: UInt32 = 0
        for (index, tag) in [UInt8(0x01), 0x04, 0x20].enumerated() {
            let entry = list.dropFirst(4 + index * 8).prefix(4)
            guard let bits = entry.dropFirst(2).first, bits <= 7, entry == [tag, 0, bits, 0]
            else { return nil }
            permissions = permissions << 3 | UInt32(bits)
        }
        return permissions
    }
}

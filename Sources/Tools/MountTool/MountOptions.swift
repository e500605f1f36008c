import Format
import FuseServer
import IFSFS
import ToolSupport

/// What the words behind `-o` ask for.
struct MountOptions {
    var allowsOthers = false
    var ownership: Ownership {
        Ownership(
            user: user, group: group, fileMask: fileMask ?? mask ?? 0,
            directoryMask: directoryMask ?? mask ?? 0)
    }
    private var user: UInt32?
    private var group: UInt32?
    private var mask: UInt32?
    private var fileMask: UInt32?
    private var directoryMask: UInt32?
    /// First byte of the file that is searched for images, or that a disk begins with.
    var offset: UInt64 = 0
    /// Which image of the file, from 1; nil where nothing was said.
    var image: Int?
    /// Which partition of the disk becomes the root, by its number; nil for all in a directory.
    var partition: Int?
    /// How partitions are called; nil where nothing was said.
    private var partitionNames: Disk.Names?
    var names: Disk.Names { partitionNames ?? .kind }
    /// Minutes by which the clock that wrote FAT's times is ahead of UTC; nil where nothing was said.
    private var clockMinutes: Int64?
    /// Directories beside the images in a disk's files.
    private var showsNested = false
    /// What bytes of FAT's short names stand for; nil where nothing was said.
    private var codePage: FAT.CodePage?
    /// How disks, and the file systems on them, are read.
    var disk: Disk.Options {
        var options = Disk.Options()
        options.image.cacheLimit = Int(clamping: cacheLimit)
        options.isNested = showsNested
        options.fat.timeOffset = 60 * (clockMinutes ?? 0)
        options.fat.codePage = codePage ?? .cp437
        if let mask = fileMask ?? mask { options.fat.fileMask = mask }
        if let mask = directoryMask ?? mask { options.fat.directoryMask = mask }
        return options
    }
    /// Bytes of decoded blocks that are kept.
    var cacheLimit: UInt64 = 64 << 20
    /// The directory of the image that becomes the root; empty for the image's own.
    var subdirectory: [UInt8] = []
    /// Seconds without a request after which the mount goes; nil for never.
    var idleTimeout: Int?
    var unmountsOnDeath = false
    /// Extended attributes are listed, and not only answered by name.
    var listsAttributes = false
    var isForeground = false
    /// Changes are allowed, and become a new image when the mount ends.
    var isWritable = false
    /// Where the new image goes; nil for the place of the one that is mounted.
    var output: [UInt8]?
    /// The buildfile that a directory's image is made by; nil for none.
    var buildfile: [UInt8]?
    /// What the old image's name ends in when it is kept; nil to keep none.
    var backup: [UInt8]?
    /// Where edits wait until they are part of an image; nil for beside it.
    var stageDirectory: [UInt8]?
    /// What becomes of edits that another mount has left; nil where nothing was said.
    var recovery: Recovery?
    /// Edits go with the mount.
    var discardsEdits = false
    /// What stands around the image may be left as it is, fitting the new one or not.
    var isForced = false
    /// Seconds without a change after which the new image is made ahead of time; nil for never.
    var repackDelay: Double?
    /// An fsync of the root saves the edits.
    var commitsOnSync = false
    /// The option that shows what the image does not say; nil where none does.
    var shown: String? {
        if user != nil { return "uid=" }
        if group != nil { return "gid=" }
        if (mask ?? 0) != 0 || fileMask != nil || directoryMask != nil { return "umask=" }
        return subdirectory.isEmpty ? nil : "subdir="
    }
    /// The option that only an image knows; nil where there is none.
    var forImages: String? {
        if offset != 0 { return "offset=" }
        if image ?? 1 != 1 { return "image=" }
        if repackDelay != nil { return "repack_delay=" }
        if commitsOnSync { return "commit=fsync" }
        return isForced ? "force" : nil
    }
    /// The option that only a disk knows; nil where there is none.
    var forDisks: String? {
        if partition != nil { return "partition=" }
        if partitionNames != nil { return "names=" }
        if showsNested { return "nested" }
        if clockMinutes != nil { return "tz=" }
        return codePage == nil ? nil : "codepage="
    }
    /// Options that the kernel knows.
    var kernelOptions: [String] = []

    /// What can become of edits that another mount has left.
    enum Recovery: String, CaseIterable {
        /// This mount goes on with them.
        case resume
        /// They become an image, and this mount goes on with that.
        case commit
        /// They are thrown away.
        case discard
    }

    /// Each option's name, whether it takes a value, and its line in the help.
    static let known: [(name: String, value: String?, help: String)] = [
        ("ro", nil, "mount read-only, as every mount is that is not rw"),
        ("rw", nil, "allow changes; unmounting makes a new image of them"),
        ("output", "FILE", "leave the image as it is, and make the new one here"),
        ("buildfile", "FILE", "make the image of a directory by this buildfile"),
        ("backup", "SUFFIX", "keep the old image under its name and this"),
        ("stagedir", "DIR", "keep changes here until they are in an image"),
        ("recover", "HOW", "changes that a crash has left: resume, commit, discard"),
        ("nosave", nil, "forget all changes when the mount ends"),
        ("repack_delay", "SECONDS", "make the new image after so long without a change"),
        ("commit", "WHEN", "umount, or fsync: an fsync of the root saves as well"),
        ("force", nil, "change an image although a signature or another wrapper stays"),
        ("allow_other", nil, "let other users look, held to the modes of the files"),
        ("uid", "N", "show user N as the owner of everything"),
        ("gid", "N", "show group N as the group of everything"),
        ("umask", "OCTAL", "take these permission bits away from everything"),
        ("fmask", "OCTAL", "as umask, for all but directories"),
        ("dmask", "OCTAL", "as umask, for directories"),
        ("offset", "BYTES", "search for the image, or find the disk, from this byte on"),
        ("image", "N", "mount the Nth image of the file, from 1"),
        ("partition", "N", "show the tree of this partition alone"),
        ("names", "STYLE", "call partitions by kind (p1-fat16), number (p1) or label"),
        ("nested", nil, "beside each image in a file, a directory of it: NAME.d"),
        ("tz", "OFFSET", "FAT's clock is so far ahead of UTC: +0200, or minutes"),
        ("codepage", "N", "of FAT's short names: 437, 850, 1252 or ascii"),
        ("cache", "SIZE", "keep this much of unpacked blocks (64M; K, M and G are known)"),
        ("subdir", "PATH", "show this directory of the image as the root"),
        ("timeout", "SECONDS", "unmount after so long without a request"),
        ("auto_unmount", nil, "unmount when the server is killed"),
        ("xattr", nil, "list user.* attributes, which are else only answered"),
        ("foreground", nil, "stay in the foreground, as -F does"),
    ]

    /// Options that mean something to the kernel and nothing here.
    private static let kernel = [
        "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime", "sync", "async",
        "dirsync",
    ]

    /// Options that are for mount(8), fstab and systemd and not for a helper; and those about times
    /// of access, which no image keeps and libfuse does not know.
    private static let ignored = [
        "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime",
        "lazytime", "nolazytime",
        "defaults", "auto", "noauto", "user", "nouser", "users", "nousers", "group", "nogroup",
        "owner", "noowner", "nofail", "_netdev", "loop", "uhelper",
    ]

    /// Reads the values of all `-o`, in order; a later word wins. A sloppy reading passes over
    /// options that are not known.
    init(_ values: [Argument], sloppy: Bool) throws(ToolError) {
        for value in values {
            for word in value.bytes.split(separator: UInt8(ascii: ",")) {
                try take(Argument(bytes: Array(word)), sloppy)
            }
        }
    }

    private mutating func take(_ word: Argument, _ sloppy: Bool) throws(ToolError) {
        let parts = word.bytes.split(
            separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false
        ).map { Argument(bytes: Array($0)) }
        let name = parts[0].text
        let value = parts.count == 2 ? parts[1] : nil
        if name.isEmpty { throw ToolError("unknown option '\(word)'") }
        if name.hasPrefix("x-") || Self.ignored.contains(name) { return }
        if Self.kernel.contains(name) { return kernelOptions.append(name) }
        guard let option = Self.known.first(where: { $0.name == name }) else {
            if sloppy { return }
            let names = Self.known.map(\.name) + Self.kernel + Self.ignored
            throw ToolError("unknown option '\(name)'" + suggestion(for: name, among: names))
        }
        guard (option.value == nil) == (value == nil) else {
            throw ToolError(
                option.value.map { "option '\(name)' needs a value, \(name)=\($0)" }
                    ?? "option '\(name)' takes no value")
        }
        try set(name, value ?? "")
    }

    private mutating func set(_ name: String, _ word: Argument) throws(ToolError) {
        let value = word.text
        switch name {
        case "ro": isWritable = false
        case "rw": isWritable = true
        case "output": output = AbsolutePath.lexical(word).bytes
        case "buildfile": buildfile = AbsolutePath.lexical(word).bytes
        case "backup": backup = word.bytes
        case "stagedir": stageDirectory = AbsolutePath.lexical(word).bytes
        case "nosave": discardsEdits = true
        case "force": isForced = true
        case "repack_delay":
            guard let seconds = Double(value), (0...Double(Self.longestTimeout)).contains(seconds)
            else {
                throw ToolError(
                    "repack_delay: found '\(value)', expected 0 to \(Self.longestTimeout) seconds")
            }
            repackDelay = seconds
        case "commit":
            guard ["umount", "fsync"].contains(value) else {
                throw ToolError("commit: found '\(value)', expected umount or fsync")
            }
            commitsOnSync = value == "fsync"
        case "recover": recovery = try choice(name, value, Recovery.allCases)
        case "allow_other": allowsOthers = true
        case "uid": user = try number(name, value)
        case "gid": group = try number(name, value)
        case "umask": mask = try permissions(name, value)
        case "fmask": fileMask = try permissions(name, value)
        case "dmask": directoryMask = try permissions(name, value)
        case "subdir": subdirectory = word.bytes
        case "timeout":
            guard let seconds = Int(value), (1...Self.longestTimeout).contains(seconds) else {
                throw ToolError(
                    "timeout: found '\(value)', expected 1 to \(Self.longestTimeout) seconds")
            }
            idleTimeout = seconds
        case "auto_unmount": unmountsOnDeath = true
        case "xattr": listsAttributes = true
        case "offset": offset = try size(name, value)
        case "image":
            guard let number = Int(value), number > 0 else {
                throw ToolError("image: found '\(value)', expected a number from 1 on")
            }
            image = number
        case "partition":
            guard let number = Int(value), number > 0 else {
                throw ToolError("partition: found '\(value)', expected a number from 1 on")
            }
            partition = number
        case "names": partitionNames = try choice(name, value, Disk.Names.allCases)
        case "nested": showsNested = true
        case "tz": clockMinutes = try minutes(value)
        case "codepage":
            guard let page = FAT.CodePage(name: value) else {
                throw ToolError(
                    "codepage: found '\(value)', expected one of "
                        + FAT.CodePage.allCases.map(\.rawValue).joined(separator: ", "))
            }
            codePage = page
        case "cache": cacheLimit = try size(name, value)
        default: isForeground = true
        }
    }

    /// A year.
    private static let longestTimeout = 365 * 86400

    /// One of a few words.
    private func choice<Word: RawRepresentable<String>>(
        _ name: String, _ value: String, _ words: [Word]
    ) throws(ToolError) -> Word {
        guard let word = words.first(where: { $0.rawValue == value }) else {
            let names = words.map(\.rawValue).joined(separator: ", ")
            throw ToolError("\(name): found '\(value)', expected one of \(names)")
        }
        return word
    }

    /// How far a clock is ahead of UTC: hours and minutes with a sign, as `+0200` or `-03:30`, or
    /// minutes; `UTC` is none. A day at most.
    private func minutes(_ value: String) throws(ToolError) -> Int64 {
        let isSigned = value.hasPrefix("-") || value.hasPrefix("+")
        let digits = value.dropFirst(isSigned ? 1 : 0).filter { $0 != ":" }
        let isPlain = digits.allSatisfy { $0.isASCII && $0.isNumber }
        var found = isPlain ? Int64(digits) : value == "UTC" ? 0 : nil
        if let clock = found, isSigned, digits.count == 4 {
            found = clock % 100 < 60 ? clock / 100 * 60 + clock % 100 : nil
        }
        if value.contains(":"), !isSigned || digits.count != 4 { found = nil }
        if value.hasPrefix("-") { found = found.map { -$0 } }
        guard let found, (-1440...1440).contains(found) else {
            throw ToolError(
                "tz: found '\(value)', expected hours as +0200, or minutes, of a day at most")
        }
        return found
    }

    private func permissions(_ name: String, _ value: String) throws(ToolError) -> UInt32 {
        guard let mask = UInt32(value, radix: 8), mask <= 0o7777 else {
            throw ToolError("\(name): found '\(value)', expected up to four octal digits")
        }
        return mask
    }

    private func number(_ name: String, _ value: String) throws(ToolError) -> UInt32 {
        guard let number = UInt32(value), number != .max else {
            throw ToolError("\(name): found '\(value)', expected a number")
        }
        return number
    }

    /// A count of bytes: decimal, hexadecimal after `0x`, and K, M or G for powers of 1024.
    private func size(_ name: String, _ value: String) throws(ToolError) -> UInt64 {
        let shifts: [Character: UInt64] = ["k": 10, "m": 20, "g": 30]
        let shift = value.last.flatMap { shifts[Character($0.lowercased())] } ?? 0
        let digits = shift == 0 ? value : String(value.dropLast())
        let number =
            digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        let (bytes, overflow) = (number ?? 0).multipliedReportingOverflow(by: 1 << shift)
        guard number != nil, !overflow else {
            throw ToolError("\(name): found '\(value)', expected a count of bytes")
        }
        return bytes
    }
}

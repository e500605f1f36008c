import Foundation

// Functions of the C library that its Swift module does not show, since they are Linux's own.

@_silgen_name("memfd_create")
func makeMemoryFile(_ name: UnsafePointer<CChar>, _ flags: UInt32) -> Int32

@_silgen_name("getdents64")
func getdents64(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int

@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
func addCloseFrom(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32
) -> Int32

@_silgen_name("posix_spawn_file_actions_addchdir_np")
func addChangeDirectory(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ path: UnsafePointer<CChar>
) -> Int32

@_silgen_name("setxattr")
func setxattr(
    _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeRawPointer,
    _ count: Int, _ flags: Int32
) -> Int32

@_silgen_name("removexattr")
func removexattr(_ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>) -> Int32

@_silgen_name("lgetxattr")
func lgetxattr(
    _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeMutableRawPointer?,
    _ count: Int
) -> Int

@_silgen_name("llistxattr")
func llistxattr(
    _ path: UnsafePointer<CChar>, _ names: UnsafeMutableRawPointer?, _ count: Int
) -> Int

@_silgen_name("renameat2")
func renameat2(
    _ directory: Int32, _ path: UnsafePointer<CChar>, _ newDirectory: Int32,
    _ newPath: UnsafePointer<CChar>, _ flags: UInt32
) -> Int32

@_silgen_name("fallocate")
func fallocate(_ file: Int32, _ mode: Int32, _ offset: off_t, _ count: off_t) -> Int32

@_silgen_name("name_to_handle_at")
func nameToHandle(
    _ directory: Int32, _ path: UnsafePointer<CChar>, _ handle: UnsafeMutableRawPointer,
    _ mount: UnsafeMutablePointer<Int32>, _ flags: Int32
) -> Int32

@_silgen_name("open_by_handle_at")
func openByHandle(_ mount: Int32, _ handle: UnsafeMutableRawPointer, _ flags: Int32) -> Int32

/// Constants that it does not show either, with their values from the kernel's headers.
enum Linux {
    /// MFD_CLOEXEC.
    static let memoryFileCloseOnExec: UInt32 = 1
    /// O_DIRECT.
    #if arch(arm64) || arch(arm)
        static let direct: Int32 = 0o200000
    #else
        static let direct: Int32 = 0o40000
    #endif
    /// O_TMPFILE, which holds O_DIRECTORY.
    static let temporaryFile: Int32 = 0o20000000 | O_DIRECTORY
    /// O_PATH.
    static let pathOnly: Int32 = 0o10000000
    /// RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT.
    static let (noReplace, exchange, whiteout): (UInt32, UInt32, UInt32) = (1, 2, 4)
    /// FALLOC_FL_KEEP_SIZE, _PUNCH_HOLE, _COLLAPSE_RANGE, _ZERO_RANGE.
    static let (keepSize, punchHole, collapseRange, zeroRange): (Int32, Int32, Int32, Int32) =
        (1, 2, 8, 16)
    /// XATTR_CREATE, XATTR_REPLACE.
    static let (onlyNew, onlyPresent): (Int32, Int32) = (1, 2)
    /// AT_SYMLINK_FOLLOW.
    static let followLink: Int32 = 0x400
    /// AT_EMPTY_PATH.
    static let emptyPath: Int32 = 0x1000
}

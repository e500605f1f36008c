import Glibc
import ToolSupport

Tool.holdStandardDescriptors()
let arguments = Argument.ofProcess()
let name = arguments.first?.lastComponent ?? ""
let rest = Array(arguments.dropFirst())
switch name {
case "mount.ifs", "mount.fuse.ifs": exit(MountIFS.run(rest))
case "umount.ifs", "umount.fuse.ifs": exit(UmountIFS.run(rest))
default:
    Diagnostics(tool: "ifsfs").say(
        "called as '\(name)', expected one of: mount.ifs, mount.fuse.ifs, umount.ifs,"
            + " umount.fuse.ifs")
    exit(ExitStatus.usage.rawValue)
}

import Glibc
import ToolSupport

Tool.holdStandardDescriptors()
let arguments = Argument.ofProcess()
let name = arguments.first?.lastComponent ?? ""
switch name {
case "mount.ifs", "mount.fuse.ifs": exit(MountIFS.run(Array(arguments.dropFirst())))
default:
    Diagnostics(tool: "ifsfs").say(
        "called as '\(name)', expected one of: mount.ifs, mount.fuse.ifs")
    exit(1)
}

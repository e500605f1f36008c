import Glibc
import ToolSupport

// What is closed of the first three descriptors would become the image's or the kernel's, and give
// way to /dev/null in the background.
for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
    _ = unsafe open("/dev/null", O_RDWR)
}

let arguments = Argument.ofProcess()
let name = arguments.first?.lastComponent ?? ""
switch name {
case "mount.ifs", "mount.fuse.ifs": exit(MountIFS.run(Array(arguments.dropFirst())))
default:
    Diagnostics(tool: "ifsfs").say(
        "called as '\(name)', expected one of: mount.ifs, mount.fuse.ifs")
    exit(1)
}

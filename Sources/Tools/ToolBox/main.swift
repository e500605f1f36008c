import Dumpifs
import Glibc
import Ifsctl
import MkifsCommand
import ToolSupport

Tool.holdStandardDescriptors()
let arguments = Argument.ofProcess()
let name = arguments.first?.lastComponent ?? ""
switch name {
case "dumpifs": exit(Dumpifs.run(Array(arguments.dropFirst())))
case "ifsctl": exit(Ifsctl.run(Array(arguments.dropFirst())))
case "mkifs": exit(MkifsCommand.run(Array(arguments.dropFirst())))
default:
    Diagnostics(tool: "ifs-tools").say(
        "called as '\(name)', expected one of: dumpifs, ifsctl, mkifs")
    exit(1)
}

import Control
import Format
import FuseServer
import IFSFS
import ToolSupport

/// The umount.ifs command, which umount(8) calls: takes a mount of ours away.
enum UmountIFS {
    static let table = OptionTable(
        tool: "umount.ifs", summary: "unmount a QNX IFS image",
        usage: ["umount.ifs [-flnrv] DIRECTORY|IMAGE"],
        options: [
            .init("f", nil, "by force: what waits for a server that hangs fails"),
            .init("l", nil, "lazily: vanish now, end when nothing is open any more"),
            .init("n", nil, "accepted for umount(8)"),
            .init("r", nil, "accepted for umount(8)"),
            .init("v", nil, "say what is unmounted"),
        ])

    static func run(_ arguments: [Argument]) -> Int32 {
        Tool.run(table, arguments) { parsed, output, diagnostics throws(ToolError) in
            guard parsed.operands.count == 1 else {
                throw ToolError(
                    "found \(parsed.operands.count) operands, expected DIRECTORY or IMAGE")
            }
            let name = printable(parsed.operands[0].bytes)
            let mount = try mount(parsed.operands[0], name)
            var how: Mount.Removal = []
            if parsed.has("l") { how.insert(.lazily) }
            if parsed.has("f") { how.insert(.byForce) }
            let server = server(of: mount)
            let outcome = try server.map { server throws(ToolError) in
                try save(server, name, diagnostics)
            }
            if let failure = mount.remove(how) {
                let saved =
                    outcome == CommitOutcome.written.rawValue ? "saved, but still mounted: " : ""
                throw ToolError("\(name): \(saved)\(failure)\(users(of: mount))", .refused)
            }
            if !how.contains(.lazily) { server?.waitForEnd() }
            if parsed.has("v") { output.line("\(printable(mount.mountPoint)) unmounted") }
            return 0
        }
    }

    /// The server of a mount that can be changed.
    private static func server(of mount: Mount) -> ControlClient? {
        ControlClient.reaching(ControlName(device: mount.device, source: mount.source)) { user in
            user == 0 || user == mount.user
        }
    }

    /// Has the edits saved; where that fails the mount stays, and so do they.
    private static func save(
        _ server: ControlClient, _ name: String, _ diagnostics: Diagnostics
    ) throws(ToolError) -> String {
        let meter = ProgressMeter("\(name): saving")
        defer { meter.finish() }
        do throws(ControlError) {
            return try server.commit { done, total in meter.show(done, of: total) }
        } catch {
            throw ToolError(
                "\(error); '\(name)' is still mounted, and nothing is lost", .refused)
        }
    }

    /// Who has something of the mount open, as far as can be seen.
    private static func users(of mount: Mount) -> String {
        let names = mount.users().prefix(3).map { "\($0.process) (\($0.name))" }
        return names.isEmpty ? "" : ", in use by " + names.joined(separator: ", ")
    }

    /// The mount of ours at a directory, else the only one of an image. A dead one cannot be asked
    /// for its path, so the last component is taken as it stands.
    private static func mount(_ operand: Argument, _ name: String) throws(ToolError) -> Mount {
        let places = [AbsolutePath.lexical(operand).bytes, AbsolutePath.real(operand)?.bytes]
        let mounts = Mount.all().filter(\.isOurs)
        for place in places {
            if let place, let found = Mount.uppermost(at: place), found.isOurs { return found }
        }
        let ofImage = mounts.filter { places.contains($0.source) }
        guard ofImage.count <= 1 else {
            throw ToolError(
                "\(name): mounted \(ofImage.count) times, expected the DIRECTORY of one",
                .mountPoint)
        }
        guard let found = ofImage.first else {
            throw ToolError("\(name): nothing of IFSFS is mounted there", .mountPoint)
        }
        return found
    }
}

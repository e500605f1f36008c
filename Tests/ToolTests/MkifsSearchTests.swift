import Foundation
import TestSupport
import Testing

/// Where host files are looked for, F200-F202.
struct MkifsSearchTests {
    /// The default list, in its order, below QNX_TARGET and the processor.
    static let folders = [
        "sbin", "usr/sbin", "boot/sys", "bin", "usr/bin", "lib", "lib/dll", "usr/lib",
        "usr/photon/bin",
    ]

    private func found(_ shop: Workshop, _ name: String = "file") throws -> String {
        try shop.image(name + "\n").text(String(name.split(separator: "/").last ?? ""))
    }

    @Test func theFoldersOfTheTargetAreSearchedInTheirOrder() throws {
        var shop = try Workshop()
        shop.environment = ["QNX_TARGET": shop.folder.path("target"), "PROCESSOR": "armle"]
        for folder in Self.folders { try shop.write(folder, to: "target/armle/\(folder)/file") }
        for folder in Self.folders {
            #expect(try found(shop) == folder)
            try FileManager.default.removeItem(
                atPath: shop.folder.path("target/armle/\(folder)/file"))
        }
        #expect(try shop.run("file\n").complaints.first?.contains("missing") == true)
    }

    @Test func theProcessorOfTheBootfileDecides() throws {
        var shop = try Workshop()
        shop.environment = ["QNX_TARGET": shop.folder.path("target"), "PROCESSOR": "armle"]
        for processor in ["x86", "armle"] {
            try shop.write(processor, to: "target/\(processor)/bin/file")
        }
        try shop.writeBootFiles()
        for name in try shop.folder.names() where name != "target" {
            try shop.write(try shop.folder.bytes(name), to: "target/x86/boot/sys/\(name)")
        }
        let text = Workshop.boot().replacingOccurrences(of: "[search=.]", with: "")
        #expect(try shop.image(text + "file\n").text("proc/boot/file") == "x86")
    }

    @Test func aPathOfOnesOwnTakesThePlaceOfTheList() throws {
        var shop = try Workshop()
        shop.environment = ["QNX_TARGET": shop.folder.path("target"), "PROCESSOR": "armle"]
        try shop.write("target", to: "target/armle/sbin/file")
        try shop.write("second", to: "two/file")
        shop.environment["MKIFS_PATH"] = "one:\(shop.folder.path("two"))"
        #expect(try found(shop) == "second")
        try shop.write("first", to: "one/file")
        #expect(try found(shop) == "first")
        shop.environment["MKIFS_PATH"] = "none"
        #expect(
            try shop.run("file\n").complaints.first
                == "b.build:1:1: warning: host file 'file' missing")
    }

    @Test func variablesOfThePathGetTheirValues() throws {
        var shop = try Workshop()
        shop.environment = ["MKIFS_PATH": "${PROCESSOR}/x", "PROCESSOR": "mipsle"]
        try shop.write("here", to: "mipsle/x/file")
        #expect(try found(shop) == "here")
    }

    @Test func aNameWithoutASlashIsNotTakenFromTheCurrentFolder() throws {
        var shop = try Workshop()
        shop.environment = ["QNX_TARGET": shop.folder.path("target"), "PROCESSOR": "armle"]
        try shop.write("near", to: "file")
        #expect(
            try shop.run("file\n").complaints.first
                == "b.build:1:1: warning: host file 'file' missing")
        #expect(try found(shop, "./file") == "near")
    }

    @Test func aNameWithASlashIsTakenFromTheCurrentFolderFirst() throws {
        var shop = try Workshop()
        shop.environment = ["QNX_TARGET": shop.folder.path("target"), "PROCESSOR": "armle"]
        try shop.write("far", to: "target/armle/lib/sub/file")
        #expect(try found(shop, "sub/file") == "far")
        try shop.write("near", to: "sub/file")
        #expect(try found(shop, "sub/file") == "near")
    }

    @Test func anAbsoluteNameIsThatFileAlone() throws {
        var shop = try Workshop()
        shop.environment = ["MKIFS_PATH": shop.folder.url.path]
        try shop.write("here", to: "etc/file")
        #expect(
            try shop.run("/etc/nonesuch\n").complaints.first
                == "b.build:1:1: warning: host file '/etc/nonesuch' missing")
        let path = shop.folder.path("etc/file")
        #expect(try shop.image("x=\(path)\n").text("x") == "here")
    }
}

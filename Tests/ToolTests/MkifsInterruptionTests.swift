import Foundation
import TestSupport
import Testing

/// A signal ends the build, and nothing stays behind.
struct MkifsInterruptionTests {
    /// A command that sends its mkifs a signal and then takes its time.
    private static func command(_ name: String) -> String {
        "echo $$ > pid; kill -\(name) $PPID; exec sleep 30"
    }

    private static let signals: [(String, Int32)] = [
        ("INT", SIGINT), ("TERM", SIGTERM), ("HUP", SIGHUP),
    ]

    private func expectEnd(
        by signal: Int32, _ text: String, in shop: Workshop,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try shop.write(text, to: "b.build")
        let before = try shop.folder.names()
        let outcome = try mkifs(["b.build", "b.ifs"], in: shop.folder) {
            $0.environment["TMPDIR"] = shop.temporary.url.path
            $0.deadline = 20
        }
        #expect(outcome.end == .signal(signal), sourceLocation: sourceLocation)
        #expect(outcome.complaints == [], sourceLocation: sourceLocation)
        #expect(try shop.folder.names() == (before + ["pid"]).sorted())
        #expect(try shop.temporary.names() == [], sourceLocation: sourceLocation)
        // What it ran has ended as well, or does so now.
        let child = pid_t(try shop.text("pid").dropLast()) ?? 0
        let deadline = Date().addingTimeInterval(10)
        while kill(child, 0) == 0, Date() < deadline { usleep(10_000) }
        #expect(kill(child, 0) != 0, sourceLocation: sourceLocation)
    }

    @Test(arguments: signals)
    func aFilterIsEndedAndItsFileRemoved(_ name: String, _ signal: Int32) throws {
        let shop = try Workshop()
        try shop.write("x", to: "file")
        try expectEnd(by: signal, "[filter=\"\(Self.command(name))\"] ./file\n", in: shop)
    }

    @Test(arguments: signals)
    func aLinkerIsEndedAndItsFileRemoved(_ name: String, _ signal: Int32) throws {
        let shop = try Workshop()
        try shop.writeBootFiles()
        try expectEnd(by: signal, Workshop.boot(linker: Self.command(name)), in: shop)
    }

    @Test(arguments: signals)
    func anImageFilterIsEndedAndTheImageRemoved(_ name: String, _ signal: Int32) throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m filter=\": %I %i; \(Self.command(name))\"]")
        try expectEnd(by: signal, Workshop.boot(), in: shop)
    }

    @Test func anImageThatWasThereStaysAsItWas() throws {
        let shop = try Workshop()
        try shop.writeBootFiles("[default_image=4m filter=\"\(Self.command("TERM"))\"]")
        try shop.write("old", to: "b.ifs")
        try expectEnd(by: SIGTERM, Workshop.boot(), in: shop)
        #expect(try shop.text("b.ifs") == "old")
    }

    @Test func aSignalThatWasIgnoredStaysIgnored() throws {
        let shop = try Workshop()
        try shop.write("x", to: "file")
        try shop.write("[filter=\"kill -HUP $PPID; cat\"] ./file\n", to: "b.build")
        var child = Child(["sh", "-c", "trap '' HUP; exec \"$0\" b.build b.ifs", Tool.mkifs])
        child.folder = shop.folder.url
        expectSuccess(try child.run())
        #expect(try shop.built().text("file") == "x")
    }
}

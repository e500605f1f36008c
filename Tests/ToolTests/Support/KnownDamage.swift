import Foundation
import Testing

/// A damage of an image, and how the lines begin that `ifsctl check` has for it, behind the image's
/// name. `Image` tells where things are in it.
struct KnownDamage<Image: Sendable>: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let lines: [String]
    /// How all further lines begin; nil where there are none.
    let rest: String?
    let change: @Sendable (inout [UInt8], Image) -> Void

    init(
        _ name: String, _ lines: String..., rest: String? = nil,
        change: @escaping @Sendable (inout [UInt8], Image) -> Void
    ) {
        testDescription = name
        self.lines = lines
        self.rest = rest
        self.change = change
    }

    /// Makes the damaged image, runs the check, and holds its lines against those known: to their end,
    /// or only what they are about, where another image has the same elsewhere. Returns the folder with
    /// the image, `card.img`, for a judge.
    func expectTold(
        of sound: [UInt8], _ image: Image, onlySubjects: Bool = false
    ) throws -> Card {
        var bytes = sound
        change(&bytes, image)
        let card = Card(try TemporaryFolder())
        try card.folder.write(bytes, to: "card.img")
        let outcome = try ifsctl(["check", "card.img"], in: card.folder)
        #expect(outcome.end == .exit(1) && outcome.complaints == [], "\(outcome)")
        #expect(
            rest == nil ? outcome.lines.count == lines.count : outcome.lines.count >= lines.count,
            "\(outcome.lines)")
        for (index, found) in outcome.lines.enumerated() {
            let expected = index < lines.count ? lines[index] : rest ?? ""
            let subject = expected.prefix { !$0.isNumber }
            #expect(
                found.hasPrefix("card.img: \(onlySubjects ? String(subject) : expected)"),
                "\(found)")
        }
        return card
    }
}

extension Card {
    /// Where the programs are that write QNX file systems, and one that judges them.
    static func writer(_ name: String) -> String? { writers.map { "\($0)/\(name)" } }

    /// The image that a script makes as `card.img` in an empty folder.
    static func made(by script: String) throws -> [UInt8] {
        let card = Card(try TemporaryFolder())
        try card.bash(script)
        return try card.folder.bytes("card.img")
    }

    /// Expects that an image has no finding.
    static func expectSound(_ bytes: [UInt8]) throws {
        let card = Card(try TemporaryFolder())
        try card.folder.write(bytes, to: "card.img")
        let outcome = try ifsctl(["check", "card.img"], in: card.folder)
        expectSuccess(outcome)
        #expect(outcome.output == [])
    }
}

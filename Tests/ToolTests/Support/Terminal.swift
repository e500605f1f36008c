import Foundation

/// A terminal that a child writes to.
enum Terminal {
    /// Whether there is the program that lends one.
    static let isHere = Tool.has("script")

    /// What dumpifs prints when its standard output is a terminal, lines ended by newlines alone.
    static func dumpifs(_ arguments: String, in folder: TemporaryFolder) throws -> String {
        var child = Child(["script", "-qec", "'\(Tool.dumpifs)' \(arguments)", "/dev/null"])
        child.folder = folder.url
        let outcome = try child.run()
        guard outcome.end == .exit(0) else {
            throw Child.Failure(description: "\(outcome.end): \(outcome.complaints)")
        }
        return outcome.text.replacingOccurrences(of: "\r\n", with: "\n")
    }
}

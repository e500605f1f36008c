import Foundation

/// A folder that goes, with all that is in it, when nobody has it any more.
public final class ScratchFolder: Sendable {
    /// Where it is.
    public let path: String

    /// An empty one.
    public init() throws {
        var template = Array("/tmp/ifsfs-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

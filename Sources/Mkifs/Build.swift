public import Format

/// From the text of a buildfile to an image, in the steps that a tool wants to see.
public struct Build {
    /// Reads lines and buildfiles, and finds the files that they name.
    public var resolver: Resolver
    /// What layouts need from outside.
    public let toolbox: Toolbox

    /// A build of nothing yet.
    public init(_ options: BuildOptions, _ toolbox: Toolbox) {
        self.toolbox = toolbox
        resolver = Resolver(options, toolbox)
    }

    /// The plan of what was read.
    public mutating func plan() throws(MkifsError) -> Plan { try resolver.plan() }

    /// Decides what a plan leaves open. What can be wrong with an image is told here.
    public func layout(_ plan: Plan) throws(MkifsError) -> LaidOutImage {
        do throws(MkifsError) {
            return try Layout.image(of: plan, toolbox)
        } catch {
            throw resolver.located(error)
        }
    }

    /// Whether a file, under whatever name, is one of those that an image is made from.
    public static func replaces(_ output: [UInt8], anyOf inputs: [[UInt8]]) -> Bool {
        guard let status = HostStatus(output, followsLinks: true), status.kind == .file else {
            return false
        }
        return inputs.contains {
            HostStatus($0, followsLinks: true)?.identity == status.identity
        }
    }
}

extension LaidOutImage {
    /// Bytes of the image as it is written, or, of a packed one, of what is packed.
    public var byteCount: UInt64 {
        image.prefix.byteCount &+ UInt64(image.startup?.startupSize ?? 0)
            &+ UInt64(image.header.imageSize)
    }

    /// Writes the image.
    @discardableResult
    public func write(to sink: inout some ByteSink) throws(MkifsError) -> IFS.WrittenImage {
        do throws(FormatError) {
            return try image.write(to: &sink)
        } catch {
            throw .format(error)
        }
    }
}

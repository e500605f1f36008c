internal import ArgumentParser
internal import ToolSupport

extension Command {
    struct Status: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Name the images that are mounted for changes or that changes wait for.")

        @ArgumentParser.Argument(
            help: "Images, mount points, or directories with images; all mounts if there is none.",
            completion: .file())
        var paths: [String] = []

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Editing.status(paths.map { bytes(of: $0, arguments) })
        }
    }

    /// What all commands have that are about the changes of one image.
    struct Subject: ParsableArguments {
        @ArgumentParser.Argument(
            help: "The image that the changes go to, or where it is mounted.",
            completion: .file())
        var path: String

        @Option(
            help: "Where the changes are, if not beside the image.", completion: .directory)
        var stagedir: String?

        func name(_ arguments: [ToolSupport.Argument]) -> ToolSupport.Argument {
            bytes(of: path, arguments)
        }

        func stage(_ arguments: [ToolSupport.Argument]) -> ToolSupport.Argument? {
            stagedir.map { bytes(of: $0, arguments) }
        }
    }

    struct Commit: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Make the changes of a mount an image; the mount goes on.")

        @OptionGroup var subject: Subject

        @Flag(help: "Also in the place of a file that has got the name since.")
        var force = false

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Editing.commit(
                subject.name(arguments), stage: subject.stage(arguments), isForced: force)
        }
    }

    struct Compact: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Lay an image out anew without the holes that changes have left.")

        @ArgumentParser.Argument(
            help: "The image, or where it is mounted for changes.", completion: .file())
        var path: String

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Editing.compact(bytes(of: path, arguments))
        }
    }

    struct Discard: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Throw changes away: those of a mount when it ends, others at once.")

        @OptionGroup var subject: Subject

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Editing.discard(subject.name(arguments), stage: subject.stage(arguments))
        }
    }

    struct Recover: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Do something with the changes that a crash has left.")

        @OptionGroup var subject: Subject

        @Flag(help: "Make them an image.")
        var commit = false

        @Flag(help: "Throw them away.")
        var discard = false

        @Option(help: "Mount the image with them here.", completion: .directory)
        var resume: String?

        func validate() throws {
            let count = [commit, discard, resume != nil].count { $0 }
            guard count == 1 else {
                throw ValidationError(
                    "found \(count) of --commit, --discard and --resume, expected one")
            }
        }

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            let recovery =
                resume.map { Editing.Recovery.resume(at: bytes(of: $0, arguments)) }
                ?? (commit ? .commit : .discard)
            return Editing.recover(
                subject.name(arguments), stage: subject.stage(arguments), recovery)
        }
    }

    struct Wait: ParsableCommand, Inspecting {
        static let configuration = CommandConfiguration(
            abstract: "Wait until nobody changes or saves an image any more.",
            discussion: "Exits with 1 where changes are left that are in no image.")

        @OptionGroup var subject: Subject

        func inspect(_ arguments: [ToolSupport.Argument]) -> Int32 {
            Editing.wait(subject.name(arguments), stage: subject.stage(arguments))
        }
    }
}

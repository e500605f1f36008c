import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// Real images, made again from the files in them by the profile of their release.
///
/// The source of a program is not in its image. It is made up (`RealImage.source`): its segments lie
/// where the image has them, and its sections are those that were kept. So these tests show that the
/// image is what a profile makes of such a source; not that a source looked like that.
@Suite(.enabled(if: Fixtures.hasShared, "../shared is not here"))
struct ProfileImageTests {
    /// A shared image, and what its buildfile set that the image shows only by its consequences.
    struct Case: Sendable, CustomStringConvertible {
        var name: String
        /// The release whose profile is the image's; 6.5 has those of 6.6.
        var release: Release
        var settings = ""

        var description: String { name }
    }

    static let cases = [
        Case(name: "x86-6.4-ucl.ifs", release: .v64),
        Case(name: "x86-zlib.ifs", release: .v64),
        Case(name: "mipsbe-lzo-elf.ifs", release: .v64),
        Case(name: "shle-plain-elf.ifs", release: .v64),
        Case(name: "data-only-bigendian.ifs", release: .v64, settings: "+bigendian"),
        // The bootfiles of armle-v7 ask for large pages. Each file of this image, and each link, has
        // a page of its own.
        Case(
            name: "armle-6.5-plain.ifs", release: .v66,
            settings: "+page_align +big_pages pagesizes=4k,64k,1m"),
        Case(
            name: "armle-6.6-ucl.ifs", release: .v66,
            settings: "+big_pages pagesizes=4k,64k,1m"),
        Case(name: "x86_64-8.0-sha512.ifs", release: .v80),
    ]

    @Test(arguments: cases)
    func headerAndDirectoryComeOutTheSame(_ one: Case) throws {
        let real = try RealImage(one.name, one.release)
        let made = try real.rebuilt(one.settings).image
        let directory = real.image.directory
        let expected = directory.entries.compactMap { IFS.DirectoryRecord($0, in: directory) }
        #expect(made.records.map(\.line) == expected.map(\.line))
        #expect(made.header == real.image.header)
    }

    /// Programs are part of it: a source that is laid out gives the program that it was made of, its
    /// headers, kept sections and trailing zeros included.
    @Test(arguments: cases)
    func everyByteComesOutTheSame(_ one: Case) throws {
        let real = try RealImage(one.name, one.release)
        let size = UInt64(real.image.header.imageSize)
        let expected = try real.image.contents.bytes(size, at: 0, "image")
        #expect(difference(try real.rebuilt(one.settings).contents, expected) == nil)
    }

    // MARK: What is no file

    @Test(arguments: cases)
    func digestsAreThoseOfTheRelease(_ one: Case) throws {
        let image = try RealImage(one.name, one.release).image
        let profile = Profile(one.release)
        #expect((image.header.flags & IFS.ImageHeader.trailerV2Flag != 0) == profile.hasDigests)
        guard let startup = image.startup else { return }
        #expect((startup.flags1 & IFS.StartupHeader.trailerV2Flag != 0) == profile.hasDigests)
    }

    /// No buildfile of these sets the permissions of its script.
    @Test(arguments: cases)
    func scriptsHaveThePermissionsOfTheRelease(_ one: Case) throws {
        let image = try RealImage(one.name, one.release).image
        guard let script = image.script else { return }
        #expect(script.mode & 0o7777 == UInt32(Profile(one.release).scriptMode))
    }

    /// A startup area is whole pages, rounded up with its trailer to a multiple of 8. The startup of
    /// x86-6.4-ucl has notes behind it, and its last page is not filled.
    @Test(arguments: cases.filter { $0.name != "x86-6.4-ucl.ifs" })
    func aStartupAreaIsWholePagesAndATrailer(_ one: Case) throws {
        guard let startup = try RealImage(one.name, one.release).image.startup else { return }
        let trailer: UInt64 = Profile(one.release).hasDigests ? 68 : 4
        let loaded = UInt64(startup.prebootSize)
        let start = loaded + 256 + trailer
        let pages = (UInt64(startup.startupSize) - 256 - trailer) / 4096 * 4096
        #expect(UInt64(startup.startupSize) + loaded == (start + pages + 7) / 8 * 8)
    }

    @Test(arguments: cases)
    func commandLinesAreWrittenAsTheReleaseDoes(_ one: Case) throws {
        let image = try RealImage(one.name, one.release).image
        guard let startup = image.startup else { return }
        let area = try image.file.prefix(Int(startup.startupSize), at: image.headerOffset)
        let address = UInt64(startup.imageAddress &+ startup.physicalBias)
        func isWritten(_ arguments: IFS.BootArguments?, in program: [UInt8]) throws -> Bool {
            guard let arguments else { return true }
            let form = Profile(one.release).bootArguments
            let entry = try arguments.entry(image.header.order, address: address, form)
            return program.firstRange(of: entry) != nil
        }
        #expect(try isWritten(image.startupArguments(), in: area))
        for entry in image.bootEntries {
            #expect(try isWritten(image.bootArguments(of: entry), in: image.data(of: entry)))
        }
    }
}

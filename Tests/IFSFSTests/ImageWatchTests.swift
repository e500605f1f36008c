import Format
import IFSFS
import Synchronization
import TestSupport
import Testing

/// How a change of the file behind a mount is noticed.
struct ImageWatchTests {
    /// A file that can be changed and changed back, and what was said of it.
    private final class File: Sendable {
        let isChanged = Mutex(false)
        let questions = Mutex(0)
        let reports = Mutex(0)

        func fileSystem() -> VolumeFileSystem {
            let watch = ImageWatch {
                self.questions.withLock { $0 += 1 }
                return self.isChanged.withLock { $0 }
            } report: {
                self.reports.withLock { $0 += 1 }
            }
            return VolumeFileSystem(DictionaryVolume.sample(), watch: watch)
        }

        func change(_ value: Bool = true) { isChanged.withLock { $0 = value } }
        var reportCount: Int { reports.withLock { $0 } }
    }

    @Test func aFileThatStaysAsItIsIsAskedEachTime() throws {
        let file = File()
        let fileSystem = file.fileSystem()
        for _ in 0..<5 { try fileSystem.verify() }
        #expect(file.questions.withLock { $0 } == 5 && file.reportCount == 0)
    }

    @Test func withoutAWatchNothingIsAmiss() throws {
        try VolumeFileSystem(DictionaryVolume.sample()).verify()
    }

    @Test func aChangeIsReportedOnce() {
        let file = File()
        let fileSystem = file.fileSystem()
        file.change()
        for _ in 0..<5 {
            #expect(throws: FileSystemError.replaced) { try fileSystem.verify() }
        }
        #expect(file.reportCount == 1)
    }

    /// A change that was noticed counts for good, whatever the file becomes.
    @Test func whatHasChangedStaysSoWhateverTheFileBecomes() {
        let file = File()
        let fileSystem = file.fileSystem()
        file.change()
        #expect(throws: FileSystemError.replaced) { try fileSystem.verify() }
        file.change(false)
        #expect(throws: FileSystemError.replaced) { try fileSystem.verify() }
        #expect(file.questions.withLock { $0 } == 1, "the file is not asked any more")
    }

    @Test func manyThreadsThatSeeTheChangeReportItOnce() {
        let file = File()
        let fileSystem = file.fileSystem()
        file.change()
        let refusals = Threads.run(8) { _ in
            (0..<1000).count { _ in
                do throws(FileSystemError) {
                    try fileSystem.verify()
                    return false
                } catch {
                    return error == .replaced
                }
            }
        }
        #expect(refusals == Array(repeating: 1000, count: 8) && file.reportCount == 1)
    }
}

/// A place in a buildfile.
public struct SourceMark: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The file's name as it is printed; `-l` for lines of the command line.
    public let file: String
    /// The line, counted from 1.
    public let line: Int
    /// The byte in its line, counted from 1.
    public let column: Int

    /// A place.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`.
    public var description: String { "\(file):\(line):\(column)" }

    /// The place so many bytes later in the same line.
    func advanced(by count: Int) -> SourceMark {
        SourceMark(file: file, line: line, column: column &+ count)
    }
}

/// The bytes of a buildfile, or of an inline file in one, and where each of them stands.
public struct SourceText: Equatable, Sendable {
    /// What is parsed.
    public let bytes: [UInt8]
    private let file: FileLines
    private let runs: [Run]

    /// Bytes that lie side by side in the file as well.
    struct Run: Equatable, Sendable {
        /// Where the run begins in `bytes`.
        let start: Int
        /// Where it begins in the file.
        let place: Int
    }

    /// A file's text. Its first line has the number `firstLine`: the third `-l` begins at 3.
    public init(name: String, bytes: [UInt8], firstLine: Int = 1) {
        self.bytes = bytes
        file = FileLines(name: name, bytes: bytes, firstLine: firstLine)
        runs = [Run(start: 0, place: 0)]
    }

    /// Text taken out of another, in runs whose places are offsets in that other text.
    init(bytes: [UInt8], runs: [Run], of whole: SourceText) {
        self.bytes = bytes
        file = whole.file
        self.runs = runs.map { Run(start: $0.start, place: whole.place(of: $0.place)) }
    }

    /// The name as it is printed.
    public var name: String { file.name }

    /// Where the byte at `offset` stands in the file; the end of the text is a place as well.
    public func mark(at offset: Int) -> SourceMark { file.mark(at: place(of: offset)) }

    /// A line of the whole file, without its end; nil where there is none of this number.
    public func line(_ number: Int) -> ArraySlice<UInt8>? { file.line(number) }

    private func place(of wanted: Int) -> Int {
        let offset = max(0, min(wanted, bytes.count))
        let run = runs[lastIndex(in: runs) { $0.start <= offset } ?? 0]
        return run.place + (offset - run.start)
    }
}

/// A whole file, and where its lines begin.
private struct FileLines: Equatable, Sendable {
    let name: String
    let bytes: [UInt8]
    let firstLine: Int
    let starts: [Int]

    init(name: String, bytes: [UInt8], firstLine: Int) {
        self.name = name
        self.bytes = bytes
        self.firstLine = firstLine
        starts = [0] + bytes.indices.filter { bytes[$0] == .newline }.map { $0 + 1 }
    }

    func mark(at place: Int) -> SourceMark {
        let index = lastIndex(in: starts) { $0 <= place } ?? 0
        return SourceMark(
            file: name, line: firstLine &+ index, column: place - starts[index] + 1)
    }

    func line(_ number: Int) -> ArraySlice<UInt8>? {
        let (index, overflow) = number.subtractingReportingOverflow(firstLine)
        guard !overflow, starts.indices.contains(index) else { return nil }
        let end = index + 1 < starts.count ? starts[index + 1] - 1 : bytes.count
        return bytes[starts[index]..<end]
    }
}

/// The last index whose element satisfies `belongs`; those that do all come first.
private func lastIndex<Element>(in list: [Element], where belongs: (Element) -> Bool) -> Int? {
    var known = 0
    var bound = list.count
    while known < bound {
        let middle = known + (bound - known) / 2
        if belongs(list[middle]) { known = middle + 1 } else { bound = middle }
    }
    return known == 0 ? nil : known - 1
}

/// The known name nearest to the one found; nil where none is near enough to be meant.
public func nearest(to name: String, among known: [String]) -> String? {
    known.compactMap { candidate -> (name: String, distance: Int)? in
        let tolerance = max(1, min(name.utf8.count, candidate.utf8.count) / 3)
        guard abs(name.utf8.count - candidate.utf8.count) <= tolerance else { return nil }
        let apart = distance(Array(name.utf8), Array(candidate.utf8))
        return apart <= tolerance ? (candidate, apart) : nil
    }.min { $0.distance < $1.distance }?.name
}

/// `; did you mean 'x'?` where one of the known names is near the one found; else nothing.
public func suggestion(
    for name: String, among known: [String], spelled: (String) -> String = { $0 }
) -> String {
    nearest(to: name, among: known).map { "; did you mean '\(spelled($0))'?" } ?? ""
}

/// How many insertions, removals, replacements and swaps of neighbours part two words.
private func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(rows[i][j + 1], row[j]) + 1
            cost = min(cost, rows[i][j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                cost = min(cost, rows[i - 1][j - 1] + 1)
            }
            row.append(cost)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}

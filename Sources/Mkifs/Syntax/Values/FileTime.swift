/// The value of `mtime=`.
public enum FileTime: Equatable, Sendable {
    /// The time of the host's file.
    case host
    /// Seconds since 1970, UTC; a directory entry has 32 bits for them.
    case seconds(UInt32)

    /// `*`, or `YYYY-MM-DD-HH:MM:SS` in UTC with all its digits.
    public init(parsing text: [UInt8]) throws(ValueFault) {
        if text == [.asterisk] {
            self = .host
            return
        }
        guard let parts = Self.parts(of: text) else {
            throw ValueFault(text, "'*' or YYYY-MM-DD-HH:MM:SS")
        }
        guard let seconds = Self.seconds(parts) else {
            throw ValueFault(text, "a time from 1970-01-01-00:00:00 through 2106-02-07-06:28:15")
        }
        self = .seconds(seconds)
    }

    /// Year, month, day, hour, minute, second; nil for text of another shape.
    private static func parts(of text: [UInt8]) -> [Int]? {
        let shape = Array("0000-00-00-00:00:00".utf8)
        guard text.count == shape.count else { return nil }
        var parts = [0]
        for (byte, place) in zip(text, shape) {
            if !place.isDigit {
                guard byte == place else { return nil }
                parts.append(0)
            } else {
                guard byte.isDigit else { return nil }
                parts[parts.count - 1] = parts[parts.count - 1] * 10 + Int(byte - 0x30)
            }
        }
        return parts
    }

    private static func seconds(_ parts: [Int]) -> UInt32? {
        let (year, month, day) = (parts[0], parts[1], parts[2])
        guard year >= 1970, (1...12).contains(month), day >= 1, day <= days(in: month, of: year),
            parts[3] < 24, parts[4] < 60, parts[5] < 60
        else { return nil }
        let earlier = (1970..<year).reduce(0) { $0 + (isLeap($1) ? 366 : 365) }
        let months = (1..<month).reduce(0) { $0 + days(in: $1, of: year) }
        let hours = (earlier + months + day - 1) * 24 + parts[3]
        return UInt32(exactly: (hours * 60 + parts[4]) * 60 + parts[5])
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}

extension FAT {
    /// A date from 1980 through 2107 and a time of day, without a zone.
    ///
    /// Source: the specification, "Date and Time Formats".
    public struct Timestamp: Equatable, Sendable {
        /// Years from 1980 on, month, day: 7, 4 and 5 bits. 0 stands for no date.
        public var date: UInt16
        /// Hour, minute, half the second: 5, 6 and 5 bits.
        public var time: UInt16
        /// Hundredths of a second to add, up to 199.
        public var hundredths: UInt8

        /// Seconds since 1970 of the first moment that there is, and of the last.
        private static let first: Int64 = 315_532_800
        private static let last: Int64 = 4_354_819_198

        /// The moment that the fields say; without any, none.
        public init(date: UInt16 = 0, time: UInt16 = 0, hundredths: UInt8 = 0) {
            self.date = date
            self.time = time
            self.hundredths = hundredths
        }

        /// A moment by seconds since 1970 of the same clock, rounded down to an even one; the nearest
        /// that there is where it lies before 1980 or after 2107.
        public init(seconds: Int64) {
            let seconds = min(max(seconds, Self.first), Self.last)
            let (ofDay, days) = (seconds % 86400, seconds / 86400 &- 3652)
            var (year, day): (Int64, Int64) = (0, days)
            while day >= Self.daysOfYear(year) {
                day &-= Self.daysOfYear(year)
                year &+= 1
            }
            var month: Int64 = 1
            while month < 12, day >= Self.days(before: month &+ 1, of: year) { month &+= 1 }
            day &-= Self.days(before: month, of: year)
            date = UInt16(truncatingIfNeeded: year << 9 | month << 5 | (day &+ 1))
            time = UInt16(
                truncatingIfNeeded: (ofDay / 3600) << 11 | (ofDay / 60 % 60) << 5 | (ofDay % 60 / 2)
            )
            hundredths = 0
        }

        private var fields: (year: Int64, month: Int64, day: Int64) {
            (Int64(date >> 9), Int64(date >> 5 & 15), Int64(date & 31))
        }

        /// Seconds since 1970 of the same clock. A month or day of 0 counts as 1, and numbers that no
        /// calendar has are added up, as Linux does (`fs/fat/misc.c`, `fat_time_fat2unix`).
        public var seconds: Int64 {
            let (year, month, day) = fields
            let leapDays = (year &+ 3) / 4 &- (year > 120 ? 1 : 0)
            let days =
                3652 &+ year &* 365 &+ leapDays &+ Self.days(before: max(1, month), of: year)
                &+ max(1, day) &- 1
            let ofDay =
                Int64(time >> 11) &* 3600 &+ Int64(time >> 5 & 63) &* 60 &+ Int64(time & 31) &* 2
            return days &* 86400 &+ ofDay
        }

        /// The fields as `2024-02-29 12:34:56.78`; nil without a date.
        public var text: String? {
            guard date != 0 else { return nil }
            func digits(_ value: Int64) -> String { (value < 10 ? "0" : "") + "\(value)" }
            let (year, month, day) = fields
            let second = Int64(time & 31) &* 2 &+ Int64(hundredths / 100)
            return "\(year &+ 1980)-\(digits(month))-\(digits(day)) "
                + "\(digits(Int64(time >> 11))):\(digits(Int64(time >> 5 & 63))):\(digits(second))"
                + ".\(digits(Int64(hundredths % 100)))"
        }

        /// Years count from 1980; 2100 is no leap year.
        private static func isLeap(_ year: Int64) -> Bool { year & 3 == 0 && year != 120 }

        private static func daysOfYear(_ year: Int64) -> Int64 { isLeap(year) ? 366 : 365 }

        private static func days(before month: Int64, of year: Int64) -> Int64 {
            let days: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
            let index = Int(clamping: month &- 1)
            let regular = days.indices.contains(index) ? days[index] : 0
            return regular &+ (month > 2 && isLeap(year) ? 1 : 0)
        }
    }
}

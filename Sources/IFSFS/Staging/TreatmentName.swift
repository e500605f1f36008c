internal import Mkifs

/// The extended attributes that say how new contents of a file are stored, as the attributes of a
/// buildfile do.
enum TreatmentName: String, CaseIterable {
    case raw = "ifs.raw"
    case code = "ifs.code"
    case data = "ifs.data"
    case pageAlignment = "ifs.page_align"

    /// The attribute of a buildfile.
    private var attribute: String { String(rawValue.dropFirst("ifs.".count)) }

    /// Whether a value is one for a name; nil for a name that is none of these.
    @Sendable static func accepts(_ name: String, _ value: [UInt8]) -> Bool? {
        guard let name = TreatmentName(rawValue: name) else { return nil }
        return switch name {
        case .raw, .pageAlignment: name.truth(of: value) != nil
        case .code, .data: name.use(in: value) != nil
        }
    }

    /// `1`, `0`, or as a buildfile has it, such as `+raw` or `-raw`; nil for anything else.
    func truth(of value: [UInt8]) -> Bool? {
        switch String(decoding: value, as: UTF8.self) {
        case "1", "+" + attribute: true
        case "0", "-" + attribute: false
        default: nil
        }
    }

    /// `uip`, `copy`, or as a buildfile has it, such as `code=uip`; nil for anything else.
    func use(in value: [UInt8]) -> SegmentUse? {
        switch String(decoding: value, as: UTF8.self) {
        case "uip", attribute + "=uip": .inPlace
        case "copy", attribute + "=copy": .copy
        default: nil
        }
    }
}

extension StagedNode {
    /// How the file's new contents are stored.
    var treatment: Revision.Treatment {
        var treatment = Revision.Treatment()
        func value(_ name: TreatmentName) -> [UInt8]? { extendedAttributes[name.rawValue] }
        treatment.isRaw = value(.raw).flatMap(TreatmentName.raw.truth)
        treatment.code = value(.code).flatMap(TreatmentName.code.use)
        treatment.data = value(.data).flatMap(TreatmentName.data.use)
        let isAligned = value(.pageAlignment).flatMap(TreatmentName.pageAlignment.truth)
        treatment.isPageAligned = isAligned ?? false
        return treatment
    }
}

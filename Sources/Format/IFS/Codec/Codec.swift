/// A packed block that its method cannot decode.
struct CodecFault: Error, Equatable {
    let found: String
    let expected: String
}

extension IFS.Compression {
    /// Unpacks one self-contained LZO or UCL block into `output` and returns how many bytes it gave.
    /// Throws `corrupt` in the name of `place`.
    func unpack(
        _ packed: [UInt8], into output: UnsafeMutableRawBufferPointer,
        _ place: @autoclosure () -> Place
    ) throws(FormatError) -> Int {
        do throws(CodecFault) {
            return try unsafe packed.withUnsafeBufferPointer { bytes throws(CodecFault) in
                let input = UnsafeRawBufferPointer(bytes)
                return self == .ucl
                    ? try unsafe UCL.decode(input, into: output)
                    : try unsafe LZO.decode(input, into: output)
            }
        } catch {
            throw .corrupt(place(), found: error.found, expected: error.expected)
        }
    }
}

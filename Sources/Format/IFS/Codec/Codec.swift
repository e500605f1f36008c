/// A packed block that its method cannot decode.
struct CodecFault: Error, Equatable {
    let found: String
    let expected: String
}

extension IFS.Compression {
    /// Unpacks one self-contained LZO or UCL block to at most `room` bytes. Throws `corrupt` in the
    /// name of `place`.
    func unpacked(
        _ packed: [UInt8], room: Int, _ place: @autoclosure () -> Place
    ) throws(FormatError) -> [UInt8] {
        var fault: CodecFault?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let output = unsafe UnsafeMutableRawBufferPointer(
                start: buffer.baseAddress, count: room)
            unsafe packed.withUnsafeBytes { input in
                do throws(CodecFault) {
                    count =
                        self == .ucl
                        ? try unsafe UCL.decode(input, into: output)
                        : try unsafe LZO.decode(input, into: output)
                } catch {
                    fault = error
                }
            }
        }
        if let fault {
            throw .corrupt(place(), found: fault.found, expected: fault.expected)
        }
        return bytes
    }
}

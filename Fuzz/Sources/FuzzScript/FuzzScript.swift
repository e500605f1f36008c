internal import Format
internal import FuzzSupport

/// A compiled script, and the command line that mkifs leaves in a program.
///
/// The first eight bytes are the address that the command line is found by; the rest is both.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Input(start, count)
    let address = input.number(8)
    Checks.check(IFS.Script(input.rest))
    for order in ByteOrder.allCases {
        guard let found = IFS.BootArguments.find(in: input.rest, order, address: address) else {
            continue
        }
        precondition((1...127).contains(found.arguments.count))
        precondition(found.environment.count <= 127)
        precondition((found.arguments + found.environment).allSatisfy { !$0.contains(0) })
    }
    return 0
}

import Foundation
import TestSupport

let usage = "usage: pack-tree [--lzo|--ucl] TREE IMAGE"
var words = CommandLine.arguments.dropFirst()
let packings: [String: Packing] = ["--lzo": .lzo(isFast: true), "--ucl": .ucl(level: 1)]
let packing = words.first.flatMap { packings[$0] }
if packing != nil { words.removeFirst() }
guard words.count == 2, let tree = words.first, let image = words.last, !tree.hasPrefix("-") else {
    FileHandle.standardError.write(Data("\(usage)\n".utf8))
    exit(2)
}
do {
    try TreePacker(packing ?? .none).pack(tree, into: image)
} catch {
    FileHandle.standardError.write(Data("pack-tree: \(error)\n".utf8))
    exit(1)
}

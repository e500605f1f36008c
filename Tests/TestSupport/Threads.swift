import Foundation
import Synchronization

/// Work that runs on threads of its own at the same time.
public enum Threads {
    /// Runs `body` on `count` threads, waits for all, and returns what each of them gave.
    public static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) -> Result
    ) -> [Result] {
        let group = DispatchGroup()
        let results = Shared<[Int: Result]>([:])
        for index in 0..<count {
            group.enter()
            Thread {
                let result = body(index)
                results.value.withLock { $0[index] = result }
                group.leave()
            }.start()
        }
        group.wait()
        return results.value.withLock { all in (0..<count).compactMap { all[$0] } }
    }

    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) { self.value = Mutex(value) }
    }
}

import Hf2mlx
import XCTest

final class Hf2mlxTests: XCTestCase {
    func testAModelThatIsNotThere() async {
        do {
            _ = try await Hf2mlx.inspect(["model": "/nonexistent/model"])
            XCTFail("there is no such model")
        } catch let error as Hf2mlxError {
            XCTAssertEqual(error.code, "not_found")
            XCTAssertEqual(error.status, 3)
        } catch {
            XCTFail("\(error)")
        }
    }

    func testACancelledTaskLeavesNothing() async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let model = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../examples/tiny-qwen3").standardizedFileURL
        let task = Task { try await Hf2mlx.convert(["model": model.path, "output": out.path, "quantize": true]) }
        task.cancel()
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssertEqual(($0 as? Hf2mlxError)?.code, "cancelled") }
        XCTAssertFalse(FileManager.default.fileExists(atPath: out.path))
    }
}

// The calls of libhf2mlx, for Swift. Options and results are dictionaries, as docs/api-c.md describes them.
import CHf2mlx
import Foundation

/// Why a call failed.
public struct Hf2mlxError: Error, CustomStringConvertible, Sendable {
    /// The exit status that the program would have; 130 after a cancellation.
    public let status: Int32
    /// A stable name: "not_found", "unsupported", "cancelled".
    public let code: String
    /// What was found, and what was expected.
    public let message: String
    /// What to do; may be empty.
    public let hint: String

    public var description: String { hint.isEmpty ? message : "\(message) (\(hint))" }
}

/// What a call says while it works. Comes on a thread of the library, never two at once.
public enum Hf2mlxProgress: Sendable {
    case begin(what: String, totalBytes: UInt64)
    case advance(doneBytes: UInt64, totalBytes: UInt64)
    case end
    case note(String)

    init?(event: hf2mlx_event, text: String, doneBytes: UInt64, totalBytes: UInt64) {
        switch Int(event) {
        case Int(HF2MLX_BEGIN): self = .begin(what: text, totalBytes: totalBytes)
        case Int(HF2MLX_ADVANCE): self = .advance(doneBytes: doneBytes, totalBytes: totalBytes)
        case Int(HF2MLX_END): self = .end
        case Int(HF2MLX_NOTE): self = .note(text)
        default: return nil  // of a newer library
        }
    }
}

public typealias Hf2mlxOptions = [String: Any]

public enum Hf2mlx {
    public static var version: String { String(cString: hf2mlx_version()) }

    /// The variables that say where models are, for the option "environment".
    public static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Converts a model: ["model": "Qwen/Qwen3-8B", "output": "out", "quantize": true]. Throws Hf2mlxError; where the task is cancelled, one with
    /// the code "cancelled", and nothing has been written.
    public static func convert(_ options: Hf2mlxOptions, progress: (@Sendable (Hf2mlxProgress) -> Void)? = nil) async throws -> [String: Any] {
        try await call(hf2mlx_convert, options, progress)
    }

    /// What `convert` would write, tensor by tensor.
    public static func plan(_ options: Hf2mlxOptions, progress: (@Sendable (Hf2mlxProgress) -> Void)? = nil) async throws -> [String: Any] {
        try await call(hf2mlx_plan, options, progress)
    }

    /// What a model is, and how large it would become: ["model": "path"].
    public static func inspect(_ options: Hf2mlxOptions) async throws -> [String: Any] {
        try await call(hf2mlx_inspect, options, nil)
    }

    /// Downloads a model of the hub: ["repo": "Qwen/Qwen3-8B"].
    public static func download(_ options: Hf2mlxOptions, progress: (@Sendable (Hf2mlxProgress) -> Void)? = nil) async throws -> [String: Any] {
        try await call(hf2mlx_download, options, progress)
    }

    /// Uploads a model folder to the hub: ["folder": "out", "repo": "me/Qwen3-8B-MLX"].
    public static func upload(_ options: Hf2mlxOptions, progress: (@Sendable (Hf2mlxProgress) -> Void)? = nil) async throws -> [String: Any] {
        try await call(hf2mlx_upload, options, progress)
    }

    /// Whether a model folder is complete and will load: ["out": "path"].
    public static func verify(_ options: Hf2mlxOptions, progress: (@Sendable (Hf2mlxProgress) -> Void)? = nil) async throws -> [String: Any] {
        try await call(hf2mlx_verify, options, progress)
    }

    /// Where a model is on this machine, converted or not: ["name": "Qwen/Qwen3-8B"].
    public static func `where`(_ options: Hf2mlxOptions) async throws -> [String: Any] {
        try await call(hf2mlx_where, options, nil)
    }

    /// The models of the Hugging Face cache and of LM Studio.
    public static func list(_ options: Hf2mlxOptions = [:]) async throws -> [String: Any] {
        try await call(hf2mlx_list, options, nil)
    }

    private typealias Function = @Sendable (OpaquePointer?, UnsafePointer<CChar>?) -> hf2mlx_status

    private static func call(
        _ function: @escaping Function, _ options: Hf2mlxOptions, _ progress: (@Sendable (Hf2mlxProgress) -> Void)?
    ) async throws -> [String: Any] {
        let all = options.merging(["environment": environment]) { given, _ in given }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: all), as: UTF8.self)
        let job = Job(progress)
        let result = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Data, Error>) in
                // A call may take minutes: not on the threads of Swift's own pool.
                Thread.detachNewThread { continuation.resume(with: Result { try job.run(function, text) }) }
            }
        } onCancel: {
            job.cancel()
        }
        return try JSONSerialization.jsonObject(with: result) as? [String: Any] ?? [:]
    }
}

/// One hf2mlx_job, freed with its last user. Only `cancel` is called while `run` runs, which the library allows.
private final class Job: @unchecked Sendable {
    private let handle: OpaquePointer
    private let progress: (@Sendable (Hf2mlxProgress) -> Void)?

    init(_ progress: (@Sendable (Hf2mlxProgress) -> Void)?) {
        guard let handle = hf2mlx_job_new() else { fatalError("no memory for a job") }
        self.handle = handle
        self.progress = progress
        guard progress != nil else { return }
        // The job lives as long as `run`, during which alone it is called back.
        hf2mlx_job_on_progress(handle, { user, event, text, done, total in
            let job = Unmanaged<Job>.fromOpaque(user!).takeUnretainedValue()
            let said = text.map { String(cString: $0) } ?? ""
            if let progress = Hf2mlxProgress(event: event, text: said, doneBytes: done, totalBytes: total) { job.progress?(progress) }
        }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { hf2mlx_job_free(handle) }

    func cancel() { hf2mlx_job_cancel(handle) }

    func run(_ function: (OpaquePointer?, UnsafePointer<CChar>?) -> hf2mlx_status, _ options: String) throws -> Data {
        let status = options.withCString { function(handle, $0) }
        guard status == Int32(HF2MLX_OK) else {
            throw Hf2mlxError(
                status: status, code: String(cString: hf2mlx_job_code(handle)), message: String(cString: hf2mlx_job_message(handle)),
                hint: String(cString: hf2mlx_job_hint(handle)))
        }
        return Data(String(cString: hf2mlx_job_result(handle)).utf8)
    }
}

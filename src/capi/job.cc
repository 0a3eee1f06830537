// The C interface: jobs, and the one place where exceptions end. See hf2mlx/hf2mlx.h.
#include <atomic>
#include <optional>
#include <string>

#include "hf2mlx/convert.h"
#include "hf2mlx/hf2mlx.h"
#include "report/report_json.h"
#include "request/failure.h"
#include "request/perform.h"

namespace hf2mlx {
namespace {

// Hands on what the library tells.
class CallbackProgress final : public Progress {
 public:
  CallbackProgress(hf2mlx_progress progress, void* user) : progress_(progress), user_(user) {}

  void begin(std::string_view what, uint64_t total_bytes) override {
    total_bytes_ = total_bytes;
    tell(HF2MLX_BEGIN, what, 0);
  }
  void advance(uint64_t done_bytes) override { tell(HF2MLX_ADVANCE, "", done_bytes); }
  void end() override { tell(HF2MLX_END, "", total_bytes_); }
  void note(std::string_view line) override { tell(HF2MLX_NOTE, line, 0); }

 private:
  void tell(hf2mlx_event event, std::string_view text, uint64_t done_bytes) const {
    if (progress_ != nullptr) progress_(user_, event, std::string(text).c_str(), done_bytes, total_bytes_);
  }

  hf2mlx_progress progress_;
  void* user_;
  uint64_t total_bytes_ = 0;
};

// What a call gave. Not the strings of an Error alone: names that are not UTF-8 must not get out.
struct Outcome {
  hf2mlx_status status = HF2MLX_OK;
  std::string result;
  std::string code;
  std::string message;
  std::string hint;
};

std::string as_utf8(const std::string& text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

Outcome failed(const Error& error) {
  return {.status = error.exit_status(),
          .result = "",
          .code = std::string(name_of(error.code())),
          .message = as_utf8(error.what()),
          .hint = as_utf8(error.hint())};
}

}  // namespace
}  // namespace hf2mlx

struct hf2mlx_job {
  hf2mlx_progress progress = nullptr;
  void* user = nullptr;
  hf2mlx::CancelToken cancel;
  std::atomic<bool> is_running = false;
  hf2mlx::Outcome outcome;
};

namespace hf2mlx {
namespace {

Outcome outcome_of(const hf2mlx_job& job, Call call, const char* options) {
  try {
    if (job.cancel.cancelled()) throw Error(ErrorCode::kCancelled, "cancelled before it began");
    CallbackProgress progress(job.progress, job.user);
    const Json result = perform(call, options == nullptr ? "" : options, &progress, &job.cancel);
    return {.status = HF2MLX_OK, .result = json_text(result), .code = "", .message = "", .hint = ""};
  } catch (...) {
    return failed(to_error(std::current_exception()));
  }
}

// For when there is no memory even to say so.
hf2mlx_status call_job(hf2mlx_job* job, Call call, const char* options) noexcept {
  if (job == nullptr) return HF2MLX_USAGE;
  if (job->is_running.exchange(true)) return HF2MLX_BUSY;
  job->outcome = {};
  try {
    job->outcome = outcome_of(*job, call, options);
  } catch (...) {
    job->outcome.status = HF2MLX_IO;
  }
  job->is_running = false;
  return job->outcome.status;
}

}  // namespace
}  // namespace hf2mlx

using hf2mlx::Call;
using hf2mlx::call_job;

uint32_t hf2mlx_abi_version() { return HF2MLX_ABI_VERSION; }

const char* hf2mlx_version() {
  static const std::string version = hf2mlx::version();
  return version.c_str();
}

hf2mlx_job* hf2mlx_job_new() { return new (std::nothrow) hf2mlx_job; }
void hf2mlx_job_free(hf2mlx_job* job) { delete job; }

void hf2mlx_job_on_progress(hf2mlx_job* job, hf2mlx_progress progress, void* user) {
  if (job == nullptr) return;
  job->progress = progress;
  job->user = user;
}

void hf2mlx_job_cancel(hf2mlx_job* job) {
  if (job != nullptr) job->cancel.cancel();
}

hf2mlx_status hf2mlx_convert(hf2mlx_job* job, const char* options) { return call_job(job, Call::kConvert, options); }
hf2mlx_status hf2mlx_plan(hf2mlx_job* job, const char* options) { return call_job(job, Call::kPlan, options); }
hf2mlx_status hf2mlx_inspect(hf2mlx_job* job, const char* options) { return call_job(job, Call::kInspect, options); }
hf2mlx_status hf2mlx_download(hf2mlx_job* job, const char* options) { return call_job(job, Call::kDownload, options); }
hf2mlx_status hf2mlx_upload(hf2mlx_job* job, const char* options) { return call_job(job, Call::kUpload, options); }
hf2mlx_status hf2mlx_verify(hf2mlx_job* job, const char* options) { return call_job(job, Call::kVerify, options); }
hf2mlx_status hf2mlx_where(hf2mlx_job* job, const char* options) { return call_job(job, Call::kWhere, options); }
hf2mlx_status hf2mlx_list(hf2mlx_job* job, const char* options) { return call_job(job, Call::kList, options); }
hf2mlx_status hf2mlx_archs(hf2mlx_job* job, const char* options) { return call_job(job, Call::kArchs, options); }

const char* hf2mlx_job_result(const hf2mlx_job* job) { return job == nullptr ? "" : job->outcome.result.c_str(); }
const char* hf2mlx_job_code(const hf2mlx_job* job) { return job == nullptr ? "" : job->outcome.code.c_str(); }
const char* hf2mlx_job_message(const hf2mlx_job* job) { return job == nullptr ? "" : job->outcome.message.c_str(); }
const char* hf2mlx_job_hint(const hf2mlx_job* job) { return job == nullptr ? "" : job->outcome.hint.c_str(); }

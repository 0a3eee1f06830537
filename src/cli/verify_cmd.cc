// hf2mlx verify.
#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <ostream>

#include "cli/commands.h"
#include "cli/error_page.h"
#include "cli/options.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "cli/verification_text.h"
#include "cli/watched_call.h"
#include "hf2mlx/verify.h"

namespace hf2mlx::cli {
namespace {

// The exit status says how bad it is.
constexpr int kWarningStatus = 1;
constexpr int kErrorStatus = static_cast<int>(ErrorCode::kCorrupt);

int status_of(Severity worst) { return worst == Severity::kError ? kErrorStatus : worst == Severity::kWarning ? kWarningStatus : 0; }

class VerifyCommand : public Command {
 public:
  explicit VerifyCommand(CLI::App& app) {
    add_repeatable(app, "OUT", folders_, "OUT", "a model folder, or org/name of a model in the Hugging Face cache")->group("Model");
    add_value(app, "--arch", arch_, "NAME", "read the model as this model type, whatever its config.json says")->group("Model");
    add_value(app, "--arch-dir", arch_dir_, "FOLDER", "a folder of further architecture descriptions, looked at first")->group("Model");
    add_value(app, "--source", source_, "MODEL", "what OUT was made of: every tensor is computed again and compared, bit for bit")
        ->group("Source");
    app.add_flag("--error", error_, "with --source: what quantizing has changed of each layer")->group("Source");
    add_value(app, "--html", html_, "FILE", "with --error: write it as a page with pictures, too")->group("Source");
    add_number(app, "--threads", threads_, "threads (default: one for each core)")->group("Speed and memory");
    add_value(app, "--max-memory", max_memory_, "SIZE", "memory for buffers (default: 32MB, and 8MB for each thread)")
        ->group("Speed and memory");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.add_flag("--quiet", quiet_, "print nothing: the exit status tells")->group("Output");
  }

  void run(Context& context) override {
    const VerifyOptions options = verify_options(context.environment);
    Verification verification;
    watched_call(context, quiet_ ? Quiet::kYes : Quiet::kNo, notes_,
                 [&](Progress& progress, const CancelToken& cancel) { verification = verify(options, &progress, &cancel); });
    if (json_) {
      print_json(context.console.out, to_json(verification));
    } else if (!quiet_) {
      print_verification(context.console.out, verification);
    }
    if (!html_.empty()) write_page(verification);
    context.exit_status = status_of(verification.worst());
  }

 private:
  VerifyOptions verify_options(const Environment& environment) const {
    if (folders_.empty() || folders_[0].empty()) {
      throw Error(ErrorCode::kUsage, "OUT is missing", "name the folder to look at: hf2mlx verify mlx_model");
    }
    if (folders_.size() > 1) {
      throw Error(ErrorCode::kUsage, fmt::format("two folders are named: '{}' and '{}'", folders_[0], folders_[1]), "give one");
    }
    if (error_ && source_.empty()) throw Error(ErrorCode::kUsage, "--error needs what to compare with", "name it with --source MODEL");
    if (!html_.empty() && !error_) throw Error(ErrorCode::kUsage, "--html shows what --error measures", "give --error, too");
    VerifyOptions options;
    options.source.model = source_;
    options.source.cache_dir = environment.hub_cache;
    options.source.arch = arch_;
    options.source.arch_dir = arch_dir_;
    options.measure_error = error_;
    options.threads = threads_.value_or(0);
    if (!max_memory_.empty()) options.max_memory_bytes = parse_size(max_memory_, "--max-memory");
    options.folder.model = folders_[0];
    options.folder.cache_dir = environment.hub_cache;
    options.folder.arch = arch_;
    options.folder.arch_dir = arch_dir_;
    return options;
  }

  // In the place of an older one.
  void write_page(const Verification& verification) const {
    std::ofstream file(html_, std::ios::binary | std::ios::trunc);
    file << error_page(verification);
    file.close();
    if (!file) throw Error(ErrorCode::kIo, fmt::format("--html: {} cannot be written", html_), "name a file in a folder that exists");
  }

  std::vector<std::string> folders_;
  std::string source_;
  std::string html_;
  std::optional<unsigned> threads_;
  std::string max_memory_;
  bool error_ = false;
  std::string arch_;
  std::string arch_dir_;
  bool json_ = false;
  bool quiet_ = false;
  Notes notes_;
};

}  // namespace

std::unique_ptr<Command> make_verify(CLI::App& app) { return std::make_unique<VerifyCommand>(app); }

}  // namespace hf2mlx::cli

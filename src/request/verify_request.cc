// See verify_request.h.
#include "request/verify_request.h"

#include <fmt/format.h>

#include "hf2mlx/error.h"
#include "request/options.h"
#include "request/text.h"

namespace hf2mlx {

void declare_verify(CLI::App& app, VerifyArguments& arguments) {
  add_repeatable(app, "OUT", arguments.folders, "OUT", "a model folder, or org/name of a model in the Hugging Face cache")->group("Model");
  add_value(app, "--arch", arguments.arch, "NAME", "read the model as this model type, whatever its config.json says")->group("Model");
  add_value(app, "--arch-dir", arguments.arch_dir, "FOLDER", "a folder of further architecture descriptions, looked at first")
      ->group("Model");
  add_value(app, "--source", arguments.source, "MODEL", "what OUT was made of: every tensor is computed again and compared, bit for bit")
      ->group("Source");
  app.add_flag("--error", arguments.error, "with --source: what quantizing has changed of each layer")->group("Source");
  add_number(app, "--threads", arguments.threads, "threads (default: one for each core)")->group("Speed and memory");
  add_value(app, "--max-memory", arguments.max_memory, "SIZE", "memory for buffers (default: 32MB, and 8MB for each thread)")
      ->group("Speed and memory");
}

VerifyOptions verify_options(const VerifyArguments& arguments, const Places& places) {
  const std::vector<std::string>& folders = arguments.folders;
  if (folders.empty() || folders[0].empty()) {
    throw Error(ErrorCode::kUsage, "OUT is missing", "name the folder to look at: hf2mlx verify mlx_model");
  }
  if (folders.size() > 1)
    throw Error(ErrorCode::kUsage, fmt::format("two folders are named: '{}' and '{}'", folders[0], folders[1]), "give one");
  if (arguments.error && arguments.source.empty()) {
    throw Error(ErrorCode::kUsage, "--error needs what to compare with", "name it with --source MODEL");
  }
  VerifyOptions options;
  options.folder.model = folders[0];
  options.source.model = arguments.source;
  for (SourceOptions* source : {&options.folder, &options.source}) {
    source->cache_dir = places.hub_cache;
    source->arch = arguments.arch;
    source->arch_dir = arguments.arch_dir;
  }
  options.measure_error = arguments.error;
  options.threads = arguments.threads.value_or(0);
  if (!arguments.max_memory.empty()) options.max_memory_bytes = parse_size(arguments.max_memory, "--max-memory");
  return options;
}

}  // namespace hf2mlx

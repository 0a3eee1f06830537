// READ FIRST of the verification: the checks in their order.
#include "hf2mlx/verify.h"

#include <chrono>

#include "describe.h"
#include "plan/planner.h"
#include "source/locate.h"
#include "source/open_checkpoint.h"
#include "verify/compare.h"
#include "verify/error_meter.h"
#include "verify/recipe.h"
#include "verify/structure.h"
#include "writer/manifest.h"
#include "writer/model_folder.h"

namespace hf2mlx {
namespace {

Verification describe(const ModelFolder& folder) {
  Verification out;
  out.model = folder.name;
  out.folder = folder.path;
  if (folder.config.is_object() && folder.config.value("model_type", Json()).is_string()) {
    out.model_type = folder.config["model_type"].get<std::string>();
  }
  for (const WeightFile& file : folder.weights) {
    out.tensors += file.tensors.size();
    for (const TensorEntry& tensor : file.tensors) out.weight_bytes += tensor.size_bytes;
  }
  return out;
}

// Computes every tensor again from the source.
void compare_with_source(const VerifyOptions& options, const ModelFolder& folder, Verification& out, Findings& findings, Progress* progress,
                         const CancelToken* cancel) {
  const Registry registry(options.source.arch_dir);
  SourceOptions here = options.folder;
  here.model = folder.path.string();
  const Checkpoint stored = open_checkpoint(here);
  Checkpoint source = open_checkpoint(options.source);
  source.config = merge_generation_config(std::move(source.config), source.generation_config);
  Remade made = remake(folder, source, options.source, registry);
  TensorPairs pairs(made.plan, stored.tensors);
  ErrorMeter meter(pairs);
  PipelineOptions pipeline = resolve_pipeline_options(options.threads, options.max_memory_bytes);
  pipeline.what = "comparing";
  std::vector<PlanOutput> outputs;
  outputs.push_back({made.plan, pairs.writers(), options.measure_error ? &meter : nullptr});
  run_plans(outputs, pipeline, progress, cancel);
  Findings unfounded;
  out.comparison = pairs.result(made.is_exact ? findings : unfounded);
  if (!made.is_exact) {
    findings.warning({.check = "source.options",
                      .place = kManifestFile,
                      .reason = "states options that cannot be repeated here, such as an importance matrix: bytes are counted, not judged",
                      .remedy = "convert the source again to compare"});
  }
  out.comparison->source = display_name(source);
  if (options.measure_error) out.errors = meter.layers();
  WriterInput input{made.options};
  input.config = made.plan.config;
  input.vision = made.plan.keeps_vision ? Keep::kYes : Keep::kNo;
  Json wanted = output_config(source, input);
  // Where the encodings were taken from the folder, there is nothing to hold its words for them against.
  if (!made.from_manifest) {
    for (const char* key : {"quantization", "quantization_config"}) {
      if (folder.config.contains(key)) wanted[key] = folder.config[key];
    }
  }
  compare_config(wanted, folder.config, findings);
  compare_files(source, made.options, folder.side_files, findings);
}

}  // namespace

Verification verify(const VerifyOptions& options, Progress* progress, const CancelToken* cancel) {
  const auto start = std::chrono::steady_clock::now();
  const Location location = locate_model(options.folder);
  Findings findings;
  const ModelFolder folder = open_model_folder(location.folder, location.repo_id.empty() ? location.name : location.repo_id, findings);
  check_structure(folder, options.folder, Registry(options.folder.arch_dir), Depth::kFull, findings);
  // Of a folder that is broken there is nothing to compare. Where a digest is wrong, the comparison says which tensor it is.
  const bool is_comparable = !findings.has_errors();
  Verification out = describe(folder);
  out.sha256 = check_manifest(folder, progress, cancel, findings);
  if (!options.source.model.empty() && is_comparable) compare_with_source(options, folder, out, findings, progress, cancel);
  out.findings = findings.take();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

}  // namespace hf2mlx

// READ FIRST: a conversion, pass by pass.
#include "hf2mlx/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "arch/rules.h"
#include "budget.h"
#include "describe.h"
#include "hub/fetch.h"
#include "hub/remote_file.h"
#include "hub/remote_model.h"
#include "io/file_posix.h"
#include "io/hashed_writer.h"
#include "io/staged_dir.h"
#include "io/target_path.h"
#include "pipeline/pipeline.h"
#include "plan/planner.h"
#include "plan/policy.h"
#include "source/open_checkpoint.h"
#include "streamed.h"
#include "targets.h"
#include "tied.h"
#include "verify/structure.h"
#include "writer/model_folder.h"

namespace hf2mlx {
namespace {

// Passes 1 to 3: the checkpoint's headers and a plan for each target. No weight is read but to spend a budget.
struct Planned {
  Checkpoint checkpoint;
  std::vector<QuantOptions> quants;                   // as asked for, or as a budget has it
  std::vector<std::vector<FrontierPoint>> frontiers;  // empty without a budget
  std::vector<Plan> plans;
};

void spend_budgets(Planned& planned, const Registry& registry, const ConvertOptions& options, Progress* progress,
                   const CancelToken* cancel) {
  planned.frontiers.resize(planned.quants.size());
  for (size_t i = 0; i < planned.quants.size(); ++i) {
    if (!planned.quants[i].budget.wanted()) continue;
    ChosenBits chosen = choose_bits(planned.checkpoint, registry, options, planned.quants[i], progress, cancel);
    planned.quants[i] = std::move(chosen.quant);
    planned.frontiers[i] = std::move(chosen.frontier);
    std::vector<std::string>& notes = planned.checkpoint.notes;
    notes.insert(notes.end(), chosen.notes.begin(), chosen.notes.end());
  }
}

// Of a model on the disk, or of one at the hub.
Planned make_planned(const ConvertOptions& options, const std::vector<QuantOptions>& variants, const RemoteModel* remote,
                     Progress* progress, const CancelToken* cancel) {
  Planned planned;
  planned.quants = variants;
  // 1. Find the model and read its headers and configuration.
  planned.checkpoint = remote ? open_checkpoint(remote->location(), *remote) : open_checkpoint(options.source);
  planned.checkpoint.config = merge_generation_config(std::move(planned.checkpoint.config), planned.checkpoint.generation_config);
  // 2. Find its architecture. 3. Decide every output tensor, its file and its offset. From here on the output's layout no longer changes.
  const Registry registry(options.source.arch_dir);
  spend_budgets(planned, registry, options, progress, cancel);
  planned.plans = make_plans(planned.checkpoint, registry, options, planned.quants);
  // From here on a predicate's answers stand in for it: the manifest states them.
  for (size_t i = 0; i < planned.quants.size(); ++i) {
    if (planned.quants[i].predicate) planned.quants[i].predicate = planned.plans[i].choices;
  }
  return planned;
}

std::vector<std::unique_ptr<Writer>> create_shards(const Target& target) {
  std::vector<std::unique_ptr<Writer>> files;
  for (const Shard& shard : target.plan.shards) {
    const std::filesystem::path path = target.staged.path() / shard.file_name;
    std::unique_ptr<Writer> file = create_writer(path, shard.size_bytes);
    if (target.hashes_weights()) file = std::make_unique<HashedWriter>(std::move(file), path);
    files.push_back(std::move(file));
    files.back()->write_at(0, std::as_bytes(std::span(shard.header)));
  }
  return files;
}

void set_losses(const Targets& targets, const std::vector<Loss>& losses) {
  for (size_t i = 0; i < targets.size(); ++i) targets[i]->relative_loss = losses[i].relative_rms();
}

void take_digests(Target& target, const std::vector<std::unique_ptr<Writer>>& files) {
  for (size_t i = 0; i < files.size(); ++i) {
    const Shard& shard = target.plan.shards[i];
    target.weight_digests[shard.file_name] = {shard.size_bytes,
                                              target.hashes_weights() ? static_cast<HashedWriter&>(*files[i]).finish() : ""};
  }
}

// Beside plain rounding, which has nothing to be compared with.
bool chooses(const Planned& planned, size_t target) {
  const std::vector<Step>& steps = planned.plans[target].steps;
  return !planned.frontiers[target].empty() ||
         std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.encoding && step.fit != Fit::kNearest; });
}

void set_meters(const Planned& planned, const Targets& targets) {
  for (size_t i = 0; i < targets.size(); ++i) {
    if (chooses(planned, i)) targets[i]->meter.emplace(targets[i]->plan, RoundingMeter::Sample::kSome);
  }
}

void write_weights(const Targets& targets, const ConvertOptions& options, Progress* progress, const CancelToken* cancel) {
  const PipelineOptions pipeline = resolve_pipeline_options(options.threads, options.max_memory_bytes);
  std::vector<PlanOutput> outputs;
  for (const auto& target : targets) outputs.push_back({target->plan, create_shards(*target), target->meter ? &*target->meter : nullptr});
  set_losses(targets, run_plans(outputs, pipeline, progress, cancel));
  for (size_t i = 0; i < targets.size(); ++i) take_digests(*targets[i], outputs[i].files);
}

WriterInput writer_input(const Target& target) {
  const Plan& plan = target.plan;
  const std::string title = target.options.title.empty() ? target.path.filename().string() : target.options.title;
  WriterInput input{target.options, title, plan.config, Keep::kNo, {}, 0, 0, 0, {}};
  input.vision = plan.keeps_vision ? Keep::kYes : Keep::kNo;
  input.weight_digests = target.weight_digests;
  for (const OutputTensor& t : plan.outputs) input.tensors.push_back({t.name, plan.shards[t.shard].file_name});
  input.total_size_bytes = plan.output_bytes;
  input.total_parameters = plan.parameters;
  input.bits_per_weight = plan.bits_per_weight();
  return input;
}

// Looks at what was written as the programs will that load it.
void check_targets(const Checkpoint& checkpoint, const Targets& targets, const SourceOptions& source) {
  const Registry registry(source.arch_dir);
  const std::optional<std::string> head = note_on_dropped_head(checkpoint, targets.front()->plan);
  for (const auto& target : targets) {
    if (head) target->written.notes.push_back(*head);
    const FilledFolder filled{target->staged.path(), target->path.filename().string(), source, checkpoint.config};
    const std::vector<std::string> notes = notes_on_output(filled, registry);
    target->written.notes.insert(target->written.notes.end(), notes.begin(), notes.end());
  }
}

Report report_of(const Checkpoint& checkpoint, const Target& target) {
  Report report = describe(checkpoint, target.plan);
  report.output = target.path;
  for (const Shard& shard : target.plan.shards) report.files.push_back(shard.file_name);
  report.files.insert(report.files.end(), target.written.files.begin(), target.written.files.end());
  report.notes.insert(report.notes.end(), target.written.notes.begin(), target.written.notes.end());
  if (target.meter) report.errors = target.meter->layers();
  if (target.plan.loses_twice()) {
    report.notes.push_back(
        fmt::format("quantizing a second time changed the weights by {:.2f} % (root mean square), on top of what the first time did",
                    100 * target.relative_loss));
  }
  return report;
}

void set_place(Report& report, const RemoteModel& remote) {
  report.source = remote.place();
  report.received_bytes = remote.received_bytes();
}

// Of a model that is to be downloaded, what headers alone tell is told before gigabytes come: whether it becomes what is asked for, and
// what that takes. A predicate is asked here; in `quants`, its answers stand in for it.
std::vector<SpaceNeed> look_ahead(const ConvertOptions& options, const std::vector<Variant>& variants, std::vector<QuantOptions>& quants,
                                  const CancelToken* cancel) try {
  const std::unique_ptr<RemoteModel> remote = options.source.cache_dir.empty() ? nullptr : find_remote_model(options.source, cancel);
  if (!remote) return {};
  std::vector<QuantOptions> without_budgets = quants;
  for (QuantOptions& quant : without_budgets) quant.budget = {};
  const Planned planned = make_planned(options, without_budgets, remote.get(), nullptr, cancel);
  for (size_t i = 0; i < quants.size(); ++i) quants[i].predicate = planned.quants[i].predicate;
  const bool has_budget = std::any_of(quants.begin(), quants.end(), [](const QuantOptions& quant) { return quant.budget.wanted(); });
  return has_budget ? std::vector<SpaceNeed>() : space_needs(planned.checkpoint, planned.plans, variants);
} catch (const OnlyWholeFiles&) {
  return {};
}

// A budget is spent by what all weights say.
[[noreturn]] void refuse_budget(const SourceOptions& source) {
  throw Error(ErrorCode::kUsage, source.model + ": a target measures all weights, and they are not here",
              "download the model first: hf2mlx download " + source.model);
}

}  // namespace

Report plan(const ConvertOptions& options, Progress* progress, const CancelToken* cancel) {
  const std::unique_ptr<RemoteModel> remote = find_remote_model(options.source, cancel);
  if (remote && options.quant.budget.wanted()) refuse_budget(options.source);
  const Planned planned = make_planned(options, {options.quant}, remote.get(), progress, cancel);
  Report report = describe(planned.checkpoint, planned.plans.front());
  if (remote) set_place(report, *remote);
  report.tensors = describe_tensors(planned.plans.front());
  report.frontier = planned.frontiers.front();
  report.output = resolve_target(options.output);
  return report;
}

Report convert(const ConvertOptions& options, Progress* progress, const CancelToken* cancel) {
  return convert_variants(options, {{options.quant, options.output}}, progress, cancel).front();
}

std::vector<Report> convert_variants(const ConvertOptions& options, const std::vector<Variant>& variants, Progress* progress,
                                     const CancelToken* cancel) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<QuantOptions> quants;
  for (const Variant& variant : variants) {
    if (options.stream && variant.quant.budget.wanted())
      throw Error(ErrorCode::kUsage, "a target reads all weights twice, and a stream is read once", "leave out --stream");
    quants.push_back(variant.quant);
  }
  // 0. A model of the hub that is not here yet is downloaded or streamed, unless the options can come to nothing, there would be nowhere to
  // write, or its headers say that it cannot be converted.
  for (const QuantOptions& quant : quants) QuantPolicy::check_options(quant);
  check_targets(variants, options.force ? Existing::kReplace : Existing::kRefuse);
  const std::unique_ptr<RemoteModel> remote = options.stream ? find_remote_model(options.source, cancel) : nullptr;
  if (!remote) fetch_model(options.source, look_ahead(options, variants, quants, cancel), progress, cancel);
  Planned planned = make_planned(options, quants, remote.get(), progress, cancel);
  if (options.stream && !remote) planned.checkpoint.notes.emplace_back("nothing is streamed: the model is on this machine");
  std::vector<Variant> chosen = variants;
  for (size_t i = 0; i < chosen.size(); ++i) chosen[i].quant = planned.quants[i];
  // 4. Refuse what cannot end well, before anything is written. 5. Fill a folder beside each target.
  const std::string purpose = remote ? stream_purpose(*remote, planned.checkpoint, planned.plans, options, chosen) : "";
  const Targets targets = make_targets(planned.checkpoint, planned.plans, options, chosen, purpose);
  check_space(planned.checkpoint, targets);
  set_meters(planned, targets);
  std::optional<StreamedRun> streamed;
  if (remote) {
    streamed.emplace(*remote, targets, options);
    streamed->fetch_side_files(planned.checkpoint, progress);
    set_losses(targets, streamed->write(planned.checkpoint, progress, cancel));
  } else {
    write_weights(targets, options, progress, cancel);
  }
  // 6. Everything that is not weights.
  for (const auto& target : targets) target->written = write_side_files(planned.checkpoint, writer_input(*target), target->staged.path());
  check_targets(planned.checkpoint, targets, options.source);
  if (cancel && cancel->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
  // 7. Only now do the targets exist, or change.
  for (const auto& target : targets) target->staged.commit(options.sync ? Durability::kBeforeName : Durability::kLikeCopy);
  std::vector<Report> reports;
  for (size_t i = 0; i < targets.size(); ++i) {
    reports.push_back(report_of(planned.checkpoint, *targets[i]));
    reports.back().frontier = planned.frontiers[i];
    if (remote) set_place(reports.back(), *remote);
  }
  for (Report& report : reports) report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return reports;
}

std::vector<ArchInfo> architectures() {
  const Registry registry;
  std::vector<ArchInfo> out;
  for (const std::string& name : registry.names()) {
    const Description& d = registry.family(name);
    ArchInfo info{name, {}, d.summary, used_operations(d, registry)};
    for (const ModelType& type : d.types) info.model_types.push_back(type.name);
    out.push_back(std::move(info));
  }
  return out;
}

std::string version() { return HF2MLX_VERSION; }

}  // namespace hf2mlx

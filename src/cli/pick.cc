// See pick.h.
#include "cli/pick.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/columns.h"
#include "cli/model_list.h"
#include "cli/model_reader.h"
#include "cli/picker.h"
#include "cli/picker_prompt.h"
#include "cli/picker_table.h"
#include "cli/picker_terminal.h"
#include "cli/picker_view.h"
#include "cli/terminal.h"
#include "request/conversions.h"
#include "request/variants.h"
#include "source/hf_cache.h"
#include "source/locate.h"
#include "writer/lm_studio.h"

namespace hf2mlx::cli {
namespace {

namespace fs = std::filesystem;

bool exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

PickerWorld world_of(const Environment& environment) {
  return {.cache_dir = environment.places.hub_cache,
          .home = environment.places.home,
          .lm_studio = lm_studio_models(environment.places.home),
          .memory_bytes = memory_bytes(),
          .exists = exists};
}

// What has been made of a snapshot. What was made of an older one is said of the newest.
std::vector<std::string> conversions_of(const CacheEntry& entry, const std::vector<Conversion>& conversions) {
  std::vector<std::string> labels;
  for (const Conversion& conversion : conversions) {
    if (conversion.repo_id != entry.repo_id) continue;
    if (conversion.commit == entry.commit) labels.push_back(label_of(conversion.quant));
    if (conversion.commit != entry.commit && entry.revision == "main") labels.push_back(label_of(conversion.quant) + " (old)");
  }
  return labels;
}

std::vector<PickerModel> cached_models(const std::vector<CacheEntry>& entries, const std::vector<Conversion>& conversions) {
  std::vector<PickerModel> models;
  for (const CacheEntry& entry : entries) {
    const Location location = unlocated({entry.repo_id, {}});
    PickerModel model;
    model.name = name_for_convert(entry.repo_id, entry.revision.empty() ? entry.commit : entry.revision);
    model.folder = entry.path;
    model.organisation = location.organisation;
    model.short_name = location.name;
    model.conversions = conversions_of(entry, conversions);
    models.push_back(std::move(model));
  }
  return models;
}

void learn(Picker& picker, ModelReader& reader) {
  for (const auto& [model, inspection] : reader.take()) picker.learn(model, inspection);
}

void show_screens(PickerTerminal& terminal, Picker& picker, ModelReader& reader, const CancelToken& cancel) {
  while (picker.outcome() == Outcome::kOpen) {
    learn(picker, reader);
    terminal.show(draw(picker, terminal.extent()));
    const TerminalEvent event = terminal.next();
    if (event.kind == TerminalEvent::kKey) picker.press(event.key);
    if (event.kind == TerminalEvent::kInterrupt || cancel.cancelled()) picker.leave();
  }
}

void run(Picker& picker, ModelReader& reader, const Environment& environment) {
  CancelToken cancel;
  const InterruptGuard guard(cancel, InterruptGuard::Word::kUnsaid);
  const auto terminal = environment.dumb_terminal ? nullptr : open_picker_terminal(environment.no_color ? Colors::kNo : Colors::kYes);
  if (terminal) return show_screens(*terminal, picker, reader, cancel);
  reader.wait();
  learn(picker, reader);
  ask(picker, std::cin, std::cout);
}

}  // namespace

std::vector<std::string> pick(Context& context) {
  const Environment& environment = context.environment;
  const std::vector<CacheEntry> entries = list_cache(environment.places.hub_cache);
  if (entries.empty()) {
    throw Error(ErrorCode::kNotFound, environment.places.hub_cache.string() + ": no model is here to choose from",
                "hf2mlx download org/name brings one; hf2mlx convert FOLDER -q converts a folder; hf2mlx --help explains the rest");
  }
  const PickerWorld world = world_of(environment);
  const std::vector<Conversion> conversions = find_conversions(search_places({}, world.lm_studio));
  Picker picker(world, cached_models(entries, conversions));
  std::vector<fs::path> folders;
  for (const CacheEntry& entry : entries) folders.push_back(entry.path);
  {
    ModelReader reader(std::move(folders));
    run(picker, reader, environment);
  }
  if (picker.outcome() == Outcome::kLeft) {
    context.exit_status = static_cast<int>(ErrorCode::kCancelled);
    return {};
  }
  const std::vector<std::string> words = picker.words();
  context.command_line = command_line(words);
  context.console.err << printable(context.command_line) << std::endl;
  return words;
}

}  // namespace hf2mlx::cli

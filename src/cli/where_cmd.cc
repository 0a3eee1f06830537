// hf2mlx where.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/commands.h"
#include "hf2mlx/error.h"
#include "report/report_json.h"
#include "request/conversions.h"
#include "request/options.h"
#include "source/hf_cache.h"
#include "source/open_checkpoint.h"
#include "writer/lm_studio.h"
#include "writer/manifest.h"

namespace hf2mlx::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter = R"~(Examples:
  mlx_lm.generate --model "$(hf2mlx where Qwen/Qwen3-8B)" --prompt Hello
  MODEL=$(hf2mlx where Qwen/Qwen3-8B --format hf) || MODEL=$(hf2mlx download Qwen/Qwen3-8B)
)~";

struct Copy {
  const char* format = "mlx";
  fs::path path;
  Json details = Json::object();
  bool is_current = true;  // its original has not moved on
  fs::file_time_type time = {};
};

Copy original_in(const fs::path& folder) {
  Copy copy;
  copy.format = "hf";
  copy.path = folder;
  return copy;
}

class WhereCommand : public Command {
 public:
  explicit WhereCommand(CLI::App& app) {
    add_value(app, "NAME", name_, "NAME", "org/name or the name alone, also with @revision, or what a converted folder is called")
        ->required()
        ->group("Model");
    add_choice(app, "--format", format_, "mlx|hf", "what was converted, or the original (default: mlx where there is one, else hf)")
        ->group("Model");
    declare_places(app, places_)->group("Model");
    app.add_flag("--all", all_, "print every conversion: those of the newest revision first, then the latest first")->group("Output");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.footer(kFooter);
  }

  void run(Context& context) override {
    std::vector<Copy> copies;
    if (format_ != "hf") copies = converted(context.environment);
    if (format_ != "mlx" && copies.empty()) copies.push_back(original(context.environment));
    if (copies.empty()) refuse_converted();
    if (!all_ && copies.size() > 1) {
      context.console.note(
          fmt::format("{} conversions are here, this is the latest of the newest revision; --all prints all", copies.size()));
      copies.resize(1);
    }
    print(context.console.out, copies);
  }

 private:
  std::vector<Copy> converted(const Environment& environment) const {
    std::vector<Copy> copies;
    for (const Conversion& conversion : find_conversions(search_places(places_, lm_studio_models(environment.places.home)))) {
      if (!is_called(conversion, name_)) continue;
      const Original made_of = original_of(conversion, environment.places.hub_cache);
      std::error_code ignored;
      Copy& copy = copies.emplace_back();
      copy.path = fs::absolute(conversion.folder).lexically_normal();
      copy.details = to_json(conversion, made_of);
      copy.is_current = made_of.state == OriginalState::kCurrent;
      copy.time = fs::last_write_time(conversion.folder / "config.json", ignored);
    }
    std::stable_sort(copies.begin(), copies.end(),
                     [](const Copy& a, const Copy& b) { return std::pair(a.is_current, a.time) > std::pair(b.is_current, b.time); });
    return copies;
  }

  // Complete, or an error.
  Copy original(const Environment& environment) const {
    SourceOptions source;
    source.model = name_of_original(environment);
    source.cache_dir = environment.places.hub_cache;
    return original_in(fs::absolute(open_checkpoint(source).folder).lexically_normal());
  }

  // Of a name that only a conversion knows, that of what it was made of.
  std::string name_of_original(const Environment& environment) const {
    std::error_code ignored;
    const fs::path folder(name_);
    const bool is_original = fs::exists(folder / "config.json", ignored) && !fs::exists(folder / kManifestFile, ignored);
    const std::string repo_id = split_repo_name(name_, "").repo_id;
    if (is_original || fs::exists(environment.places.hub_cache / folder_of_repo(repo_id), ignored)) return name_;
    for (const Conversion& conversion : find_conversions(search_places(places_, lm_studio_models(environment.places.home)))) {
      if (!is_called(conversion, name_)) continue;
      if (!conversion.repo_id.empty()) return conversion.repo_id;
      const Original made_of = original_of(conversion, environment.places.hub_cache);
      if (made_of.state != OriginalState::kAbsent) return made_of.folder.string();
      throw Error(ErrorCode::kNotFound, fmt::format("{}: made of {}, which is not here any more", name_, conversion.name));
    }
    return name_;
  }

  [[noreturn]] void refuse_converted() const {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: no conversion of it in the current folder or LM Studio's", name_),
                fmt::format("hf2mlx convert {} -q --lm-studio makes one; --in FOLDER looks in other folders too", name_));
  }

  void print(std::ostream& out, const std::vector<Copy>& copies) const {
    Json list = Json::array();
    for (const Copy& copy : copies) {
      if (!json_) out << copy.path.string() << '\n';
      Json each = copy.details;
      each["format"] = copy.format;
      each["path"] = copy.path.string();
      list.push_back(std::move(each));
    }
    if (json_) print_json(out, {{"copies", list}});
  }

  std::string name_;
  std::string format_;
  std::vector<std::string> places_;
  bool all_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_where(CLI::App& app) { return std::make_unique<WhereCommand>(app); }

}  // namespace hf2mlx::cli

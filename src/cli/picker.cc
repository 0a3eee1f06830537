// See picker.h.
#include "cli/picker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/columns.h"
#include "hf2mlx/error.h"
#include "request/options.h"
#include "writer/lm_studio.h"

namespace hf2mlx::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPageRows = 10;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool matches(const PickerModel& model, const std::string& filter) {
  const std::string text = lower(model.name + ' ' + model.architecture);
  const std::vector<std::string> words = split(lower(filter), ' ');
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

// Where a key leads in a list of `count` rows.
size_t moved(size_t row, size_t count, Key key) {
  const size_t last = count == 0 ? 0 : count - 1;
  switch (key) {
    case Key::kUp:
      return row == 0 ? 0 : row - 1;
    case Key::kDown:
      return std::min(row + 1, last);
    case Key::kPageUp:
      return row - std::min(row, kPageRows);
    case Key::kPageDown:
      return std::min(row + kPageRows, last);
    case Key::kHome:
      return 0;
    case Key::kEnd:
      return last;
    default:
      return row;
  }
}

void press_in_field(TextField& field, const KeyPress& press) {
  switch (press.key) {
    case Key::kText:
      return field.insert(press.text);
    case Key::kLeft:
      return field.left();
    case Key::kRight:
      return field.right();
    case Key::kHome:
      return field.home();
    case Key::kEnd:
      return field.end();
    case Key::kBackspace:
      return field.erase_before();
    case Key::kDelete:
      return field.erase_after();
    case Key::kClear:
      field = TextField();
      return;
    default:
      return;
  }
}

// What most of the weights are stored as.
std::string main_dtype(const Inspection& inspection) {
  const auto largest = std::max_element(inspection.dtypes.begin(), inspection.dtypes.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  return largest == inspection.dtypes.end() ? "" : largest->first;
}

// Without the path, which the list has no room for, and with what helps.
std::string reason_for(const PickerModel& model, std::string why_not) {
  why_not.resize(first_line(why_not).size());
  if (const std::string head = model.folder.string() + ": "; why_not.starts_with(head)) why_not.erase(0, head.size());
  if (why_not.starts_with("incomplete")) return fmt::format("hf2mlx download {} brings the rest; {}", model.name, why_not);
  return why_not;
}

std::string named(const PickerModel& model, const std::string& name_template) {
  return format_name(name_template, {.model = model.short_name, .bits = {}, .mode = {}, .group_size = {}});
}

// What would be read as an option or a template.
void check_plain(const char* what, const std::string& text) {
  const bool plain = !text.empty() && text[0] != '-' && text.find_first_of("{}") == std::string::npos;
  if (!plain) throw Error(ErrorCode::kUsage, fmt::format("{}: expected a name without braces, that begins with no dash", what));
}

}  // namespace

void PickerModel::learn(const Inspection& inspection) {
  is_read = true;
  architecture = inspection.architecture.empty() ? inspection.model_type : inspection.architecture;
  dtype = inspection.quantization == "none" || inspection.quantization.empty() ? main_dtype(inspection) : inspection.quantization;
  parameters = inspection.parameters;
  bytes = inspection.source_bytes;
  why_not = reason_for(*this, inspection.why_not);
  sizes = inspection.sizes;
}

Picker::Picker(PickerWorld world, std::vector<PickerModel> models) : world_(std::move(world)), models_(std::move(models)) {
  apply_filter();
}

const PickerModel* Picker::model() const { return shown_.empty() ? nullptr : &models_[shown_[row_]]; }

void Picker::learn(size_t model, const Inspection& inspection) {
  models_[model].learn(inspection);
  if (screen_ == Screen::kModels) apply_filter();
}

// Stays with the model that was selected, where it is still there.
void Picker::apply_filter() {
  const size_t selected = shown_.empty() ? 0 : shown_[row_];
  shown_.clear();
  row_ = 0;
  for (size_t i = 0; i < models_.size(); ++i) {
    if (!matches(models_[i], filter_)) continue;
    if (i == selected) row_ = shown_.size();
    shown_.push_back(i);
  }
}

void Picker::filter_by(const std::string& text) {
  filter_ = text;
  apply_filter();
}

void Picker::press(const KeyPress& key) {
  message_.clear();
  if (key.key == Key::kEnter) return accept();
  switch (screen_) {
    case Screen::kModels:
      return press_in_models(key);
    case Screen::kQuantization:
      return press_in_quantization(key);
    case Screen::kDestination:
      return press_in_destination(key);
    case Screen::kSummary:
      return press_in_summary(key);
  }
}

void Picker::press_in_models(const KeyPress& key) {
  TextField field(filter_);
  switch (key.key) {
    case Key::kEscape:
      return filter_.empty() ? back() : filter_by("");
    case Key::kText:
    case Key::kBackspace:
    case Key::kClear:
      press_in_field(field, key);
      return filter_by(field.text());
    default:
      row_ = moved(row_, shown_.size(), key.key);
  }
}

void Picker::press_in_quantization(const KeyPress& key) {
  if (key.key == Key::kEscape) return back();
  if (key.key == Key::kText && key.text == "f") return choose(scales_ == Scales::kSearched ? Scales::kRounded : Scales::kSearched);
  choice_ = moved(choice_, choices_.size(), key.key);
}

void Picker::press_in_destination(const KeyPress& key) {
  constexpr int kFields = 3;
  const auto go = [&](int step) { focus_ = static_cast<Field>((static_cast<int>(focus_) + step + kFields) % kFields); };
  switch (key.key) {
    case Key::kEscape:
      return back();
    case Key::kUp:
    case Key::kBackTab:
      return go(-1);
    case Key::kDown:
    case Key::kTab:
      return go(1);
    default:
      press_in_field(fields_[static_cast<size_t>(focus_)], key);
  }
}

void Picker::press_in_summary(const KeyPress& key) {
  if (key.key == Key::kEscape) return back();
  if (key.key == Key::kText && key.text == "r" && target_exists()) allow_replacing();
}

void Picker::select(size_t row) {
  if (screen_ == Screen::kModels) row_ = row;
  if (screen_ == Screen::kQuantization) choice_ = row;
}

void Picker::edit(Field field, const std::string& text) {
  focus_ = field;
  fields_[static_cast<size_t>(field)] = TextField(text);
}

void Picker::accept() {
  message_.clear();
  switch (screen_) {
    case Screen::kModels:
      return open_quantization();
    case Screen::kQuantization:
      return open_destination();
    case Screen::kDestination:
      return check_destination();
    case Screen::kSummary:
      if (target_exists() && !may_replace_) {
        message_ = "it exists already: r replaces it, Esc goes back to another place";
      } else {
        outcome_ = Outcome::kChosen;
      }
  }
}

void Picker::back() {
  message_.clear();
  if (screen_ == Screen::kModels) {
    outcome_ = Outcome::kLeft;
  } else {
    screen_ = static_cast<Screen>(static_cast<int>(screen_) - 1);
  }
}

void Picker::open_quantization() {
  if (!model()) {
    message_ = models_.empty() ? "there is no model here" : "no model has this in its name or architecture";
  } else if (!model()->is_read) {
    message_ = "its headers are still being read";
  } else if (!model()->why_not.empty()) {
    message_ = "cannot be converted: " + model()->why_not;
  } else {
    choices_ = quant_choices(model()->sizes);
    choice_ = usual_choice(choices_);
    screen_ = Screen::kQuantization;
  }
}

void Picker::open_destination() {
  const std::string ending = choice().suffix.empty() ? "" : "-" + choice().suffix;
  const std::string labelled = named(*model(), std::string(kDefaultNameTemplate) + ending);
  edit(Field::kFolder, labelled);
  edit(Field::kPublisher, model()->organisation);
  edit(Field::kName, default_name());
  // A second conversion of a model does not stand in the way of the first.
  if (target_exists()) edit(Field::kName, labelled);
  focus_ = Field::kPublisher;
  screen_ = Screen::kDestination;
}

std::string Picker::default_name() const { return named(*model(), kDefaultNameTemplate); }

void Picker::check_destination() {
  try {
    target();
    may_replace_ = false;
    screen_ = Screen::kSummary;
  } catch (const Error& error) {
    message_ = error.what();
  }
}

fs::path Picker::folder() const {
  const std::string& text = text_of(Field::kFolder).text();
  if (text == "~" || text.starts_with("~/")) return world_.home / text.substr(std::min<size_t>(2, text.size()));
  return text.starts_with('-') ? "./" + text : text;  // else it would be read as an option
}

fs::path Picker::target() const {
  if (is_for_lm_studio()) {
    const std::string& name = text_of(Field::kName).text();
    const std::string& publisher = text_of(Field::kPublisher).text();
    check_plain("publisher", publisher);
    check_plain("name", name);
    return lm_studio_target(world_.lm_studio, publisher, "", format_name(name, {}));
  }
  if (folder().empty()) throw Error(ErrorCode::kUsage, "folder: nothing is named");
  return fs::absolute(folder()).lexically_normal();
}

bool Picker::target_exists() const try { return world_.exists(target()); } catch (const Error&) {
  return false;
}

std::vector<std::string> Picker::words() const {
  // A folder of that name would come first.
  std::vector<std::string> words = {"convert", world_.exists(model()->name) ? model()->folder.string() : model()->name};
  if (!is_for_lm_studio()) words.push_back(folder().string());
  words.insert(words.end(), choice().words.begin(), choice().words.end());
  if (searches_for_scales()) words.push_back("--q-fit");
  if (may_replace_ && target_exists()) words.push_back("--force");
  if (!is_for_lm_studio()) return words;
  if (const std::string& name = text_of(Field::kName).text(); name != default_name()) words.insert(words.end(), {"--name", name});
  words.push_back("--lm-studio");
  if (const std::string& publisher = text_of(Field::kPublisher).text(); publisher != model()->organisation) words.push_back(publisher);
  return words;
}

}  // namespace hf2mlx::cli

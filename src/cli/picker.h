// hf2mlx alone on a terminal, as a state machine: which model, quantized how, written where. It knows nothing of terminals: it is told what
// is pressed, and picker_view.h says what is to be seen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/picker_choices.h"
#include "cli/text_field.h"
#include "hf2mlx/report.h"

namespace hf2mlx::cli {

struct PickerModel {
  std::string name;  // as convert is given it: org/name, or org/name@revision
  std::filesystem::path folder;
  std::string organisation;              // may be empty
  std::string short_name;                // without it
  std::vector<std::string> conversions;  // what has been made of it: "4bit"
  bool is_read = false;                  // all below is known
  std::string architecture;
  std::string dtype;  // of most of its weights
  uint64_t parameters = 0;
  uint64_t bytes = 0;
  std::string why_not;  // empty: it can be converted
  std::vector<SizeChoice> sizes;

  // Takes what the picker shows of it.
  void learn(const Inspection& inspection);
};

// The machine, as far as it matters here.
struct PickerWorld {
  std::filesystem::path cache_dir;
  std::filesystem::path home;       // of the user
  std::filesystem::path lm_studio;  // its models folder
  uint64_t memory_bytes = 0;        // 0: not known
  std::function<bool(const std::filesystem::path&)> exists;
};

enum class Key {
  kText,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kLeft,
  kRight,
  kTab,
  kBackTab,
  kEnter,
  kEscape,
  kBackspace,
  kDelete,
  kClear
};

struct KeyPress {
  Key key = Key::kText;
  std::string text = {};  // of kText: UTF-8, printable
};

enum class Screen { kModels, kQuantization, kDestination, kSummary };
enum class Outcome { kOpen, kLeft, kChosen };

// Of what is quantized: as mlx_lm has them, or with --q-fit.
enum class Scales { kRounded, kSearched };

// The rows of the destination screen that can be edited. The first two are of LM Studio.
enum class Field { kPublisher, kName, kFolder };

class Picker {
 public:
  Picker(PickerWorld world, std::vector<PickerModel> models);

  void press(const KeyPress& key);
  // What has been found out about a model meanwhile.
  void learn(size_t model, const Inspection& inspection);

  // The same in steps, for those who ask questions instead of showing screens.
  void filter_by(const std::string& text);
  void select(size_t row);  // of the screen's list
  void edit(Field field, const std::string& text);
  void accept();  // what is selected; message() says what is wrong with it
  void back();
  void leave() { outcome_ = Outcome::kLeft; }
  void allow_replacing() { may_replace_ = true; }
  void choose(Scales scales) { scales_ = scales; }

  Screen screen() const { return screen_; }
  Outcome outcome() const { return outcome_; }
  const PickerWorld& world() const { return world_; }
  const std::string& message() const { return message_; }  // what the last key could not do

  const std::vector<PickerModel>& models() const { return models_; }
  const std::string& filter() const { return filter_; }
  const std::vector<size_t>& shown() const { return shown_; }  // the models that the filter leaves
  size_t selected_row() const { return row_; }
  const PickerModel* model() const;  // null where the filter leaves none

  const std::vector<QuantChoice>& choices() const { return choices_; }
  size_t selected_choice() const { return choice_; }
  const QuantChoice& choice() const { return choices_[choice_]; }
  bool searches_for_scales() const { return scales_ == Scales::kSearched && !choice().words.empty(); }

  Field focus() const { return focus_; }
  const TextField& text_of(Field field) const { return fields_[static_cast<size_t>(field)]; }
  bool is_for_lm_studio() const { return focus_ != Field::kFolder; }
  // Where the result goes. Throws Error{kUsage} for names that cannot be.
  std::filesystem::path target() const;
  bool target_exists() const;
  bool may_replace() const { return may_replace_; }

  // The command line that does what was chosen, without the program's name.
  std::vector<std::string> words() const;

 private:
  void press_in_models(const KeyPress& key);
  void press_in_quantization(const KeyPress& key);
  void press_in_destination(const KeyPress& key);
  void press_in_summary(const KeyPress& key);
  void apply_filter();
  void open_quantization();
  void open_destination();
  void check_destination();
  std::filesystem::path folder() const;
  std::string default_name() const;

  PickerWorld world_;
  std::vector<PickerModel> models_;
  Screen screen_ = Screen::kModels;
  Outcome outcome_ = Outcome::kOpen;
  std::string message_;

  std::string filter_;
  std::vector<size_t> shown_;
  size_t row_ = 0;

  std::vector<QuantChoice> choices_;
  size_t choice_ = 0;
  Scales scales_ = Scales::kRounded;

  Field focus_ = Field::kPublisher;
  TextField fields_[3];
  bool may_replace_ = false;
};

}  // namespace hf2mlx::cli

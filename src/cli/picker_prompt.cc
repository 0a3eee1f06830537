// See picker_prompt.h.
#include "cli/picker_prompt.h"

#include <fmt/format.h>

#include <istream>
#include <optional>
#include <ostream>

#include "cli/columns.h"
#include "cli/picker_table.h"
#include "cli/picker_view.h"
#include "request/options.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kTableColumns = 72;

class Questions {
 public:
  Questions(Picker& picker, std::istream& in, std::ostream& out) : picker_(picker), in_(in), out_(out) {}

  void ask_next() {
    switch (picker_.screen()) {
      case Screen::kModels:
        ask_model();
        break;
      case Screen::kQuantization:
        ask_quantization();
        break;
      case Screen::kDestination:
        ask_destination();
        break;
      case Screen::kSummary:
        ask_whether();
        break;
    }
    if (!picker_.message().empty()) out_ << "  " << printable(picker_.message()) << '\n';
  }

 private:
  // What was typed, or `otherwise` for an empty line. Nothing at the end of the input, which leaves the picker.
  std::optional<std::string> answer(const std::string& question, const std::string& otherwise) {
    out_ << question << (otherwise.empty() ? "" : " [" + printable(otherwise) + "]") << ": " << std::flush;
    std::string line;
    if (!std::getline(in_, line)) out_ << '\n';
    if (!in_ || line == "q") {
      picker_.leave();
      return std::nullopt;
    }
    return line.empty() ? otherwise : line;
  }

  // A row's number, counted from 1.
  static std::optional<size_t> row_of(const std::string& text, size_t count) {
    if (!refuse_unless_whole_number(text).empty()) return std::nullopt;
    const size_t number = std::stoul(text);
    return number >= 1 && number <= count ? std::optional(number - 1) : std::nullopt;
  }

  void numbered(size_t row, const std::string& text) { out_ << fmt::format("{:>4}  {}\n", row + 1, text); }

  void ask_model() {
    const ModelTable table(picker_, kTableColumns);
    out_ << "\n      " << table.heading() << '\n';
    for (size_t row = 0; row < picker_.shown().size(); ++row) {
      const PickerModel& model = picker_.models()[picker_.shown()[row]];
      numbered(row, table.row(model));
      if (!model.why_not.empty()) out_ << "          " << printable(model.why_not) << '\n';
    }
    const std::optional<std::string> text = answer("Number of the model, or a part of its name (q leaves)", "");
    if (!text) return;
    if (const std::optional<size_t> row = row_of(*text, picker_.shown().size())) {
      picker_.select(*row);
      picker_.accept();
    } else {
      picker_.filter_by(*text);
    }
  }

  void ask_quantization() {
    const ChoiceTable table(picker_);
    out_ << "\n" << printable(picker_.model()->name) << ": " << describe(*picker_.model()) << "\n      " << table.heading() << '\n';
    for (size_t row = 0; row < picker_.choices().size(); ++row) numbered(row, table.row(picker_.choices()[row]));
    std::optional<std::string> text = answer("Number of the quantization, with an f behind it: search for scales (b goes back)",
                                             std::to_string(picker_.selected_choice() + 1));
    if (!text) return;
    if (*text == "b") return picker_.back();
    const bool has_f = text->ends_with('f');
    if (has_f) text->pop_back();
    picker_.choose(has_f ? Scales::kSearched : Scales::kRounded);
    if (const std::optional<size_t> row = row_of(*text, picker_.choices().size())) {
      picker_.select(*row);
      picker_.accept();
    }
  }

  bool ask_field(const char* question, Field field) {
    const std::optional<std::string> text = answer(question, picker_.text_of(field).text());
    if (text) picker_.edit(field, *text);
    return text.has_value();
  }

  void ask_destination() {
    out_ << "\n   1  LM Studio (" << printable(picker_.world().lm_studio.string()) << ")\n   2  a folder\n";
    const std::optional<std::string> text = answer("Where to (b goes back)", "1");
    if (!text) return;
    if (*text == "b") return picker_.back();
    if (*text == "2" && ask_field("Folder", Field::kFolder)) return picker_.accept();
    if (*text == "1" && ask_field("Publisher", Field::kPublisher) && ask_field("Name", Field::kName)) return picker_.accept();
  }

  void ask_whether() {
    const QuantChoice& choice = picker_.choice();
    out_ << fmt::format("\n{} becomes {}, {}\n  in {}\n  by {}\n", printable(picker_.model()->name), choice.label,
                        format_bytes(choice.bytes), printable(picker_.target().string()), printable(command_line(picker_.words())));
    const bool exists = picker_.target_exists();
    const std::optional<std::string> text =
        answer(exists ? "It exists already. Replace it (y or n)" : "Convert (y or n)", exists ? "n" : "y");
    if (!text) return;
    if (*text != "y") return picker_.back();
    if (exists) picker_.allow_replacing();
    picker_.accept();
  }

  Picker& picker_;
  std::istream& in_;
  std::ostream& out_;
};

}  // namespace

void ask(Picker& picker, std::istream& in, std::ostream& out) {
  Questions questions(picker, in, out);
  while (picker.outcome() == Outcome::kOpen) questions.ask_next();
}

}  // namespace hf2mlx::cli

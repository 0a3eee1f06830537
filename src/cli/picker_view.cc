// See picker_view.h.
#include "cli/picker_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/columns.h"
#include "cli/picker_table.h"
#include "hf2mlx/error.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kFooterRows = 3;    // two lines about what is selected, and the keys
constexpr size_t kRowsForGaps = 16;  // smaller terminals need every row
constexpr size_t kLabelColumns = 14;

class Drawing {
 public:
  Drawing(const Picker& picker, Extent extent) : picker_(picker), extent_(extent) {}

  Frame draw() {
    title();
    switch (picker_.screen()) {
      case Screen::kModels:
        models();
        break;
      case Screen::kQuantization:
        quantization();
        break;
      case Screen::kDestination:
        destination();
        break;
      case Screen::kSummary:
        summary();
        break;
    }
    return std::move(frame_);
  }

 private:
  // Lines beyond the last row are left out, and what is beyond the last column is cut.
  void put(Line line) {
    if (frame_.lines.size() >= extent_.rows) return;
    size_t left = extent_.columns;
    for (Span& span : line) {
      span.text = cut(span.text, left);
      left -= display_width(span.text);
    }
    frame_.lines.push_back(std::move(line));
  }
  void put(std::string text, Style style = Style::kPlain) { put(Line{{std::move(text), style}}); }

  bool has_gaps() const { return extent_.rows >= kRowsForGaps; }
  size_t footer_rows() const { return kFooterRows + (has_gaps() ? 1 : 0); }
  void gap() {
    if (has_gaps()) put("");
  }

  size_t rows_left() const {
    const size_t used = frame_.lines.size() + footer_rows();
    return extent_.rows > used ? extent_.rows - used : 1;
  }

  void title() {
    constexpr const char* kSteps[] = {"Model", "Quantization", "Destination", "Convert"};
    Line line = {{" hf2mlx   ", Style::kStrong}};
    for (size_t i = 0; i < std::size(kSteps); ++i) {
      if (i > 0) line.push_back({" > ", Style::kFaint});
      line.push_back({kSteps[i], i == static_cast<size_t>(picker_.screen()) ? Style::kStrong : Style::kFaint});
    }
    put(std::move(line));
    gap();
  }

  // At the bottom: what the last key could not do, or else what is selected, and what can be pressed.
  void footer(const std::string& about, const std::string& keys) {
    const size_t begin = extent_.rows > footer_rows() ? extent_.rows - footer_rows() : 0;
    while (frame_.lines.size() < begin) put("");
    gap();
    const bool is_wrong = !picker_.message().empty();
    std::vector<std::string> lines =
        wrap(printable(is_wrong ? picker_.message() : about), extent_.columns - std::min<size_t>(2, extent_.columns));
    lines.resize(2);
    for (const std::string& line : lines) put(" " + line, is_wrong ? Style::kWarning : Style::kPlain);
    put(" " + keys, Style::kFaint);
  }

  void models() {
    const std::string counted = fmt::format("{} of {}", picker_.shown().size(), picker_.models().size());
    const std::string filter = " Filter: " + printable(picker_.filter());
    const size_t between = extent_.columns - std::min(extent_.columns, display_width(filter) + counted.size() + 2);
    put({{filter, Style::kPlain}, {std::string(std::max<size_t>(between, 2), ' ') + counted, Style::kFaint}});
    frame_.cursor = {frame_.lines.size() - 1, std::min(display_width(filter), extent_.columns - 1)};
    gap();
    const ModelTable table(picker_, extent_.columns - std::min<size_t>(3, extent_.columns));
    put("   " + table.heading(), Style::kFaint);
    list(picker_.shown().size(), picker_.selected_row(), [&](size_t row) {
      const PickerModel& model = picker_.models()[picker_.shown()[row]];
      return Span{table.row(model), model.why_not.empty() ? Style::kPlain : Style::kFaint};
    });
    footer(about_model(), "type to filter   Up/Down: choose   Enter: next   Esc: leave");
  }

  std::string about_model() const {
    const PickerModel* model = picker_.model();
    if (!model) return "no model has this in its name or architecture";
    if (!model->is_read) return model->name;
    if (!model->why_not.empty()) return fmt::format("{} cannot be converted: {}", model->name, model->why_not);
    const std::string made = model->conversions.empty() ? "" : "; converted already: " + join(model->conversions, ", ");
    return fmt::format("{}: {}{}", model->name, describe(*model), made);
  }

  // The rows around the selected one, as many as there is room for.
  template <class Row>
  void list(size_t count, size_t selected, const Row& row_at) {
    const size_t rows = std::min(rows_left(), count);
    const size_t first = std::min(selected - std::min(selected, rows / 2), count - rows);
    for (size_t row = first; row < first + rows; ++row) {
      Span span = row_at(row);
      const bool is_selected = row == selected;
      put({{is_selected ? " > " : "   "}, {std::move(span.text), is_selected ? Style::kSelected : span.style}});
    }
  }

  void quantization() {
    put(fmt::format(" {}: {}", printable(picker_.model()->name), describe(*picker_.model())));
    gap();
    const ChoiceTable table(picker_);
    put("   " + table.heading(), Style::kFaint);
    list(picker_.choices().size(), picker_.selected_choice(), [&](size_t row) {
      const QuantChoice& choice = picker_.choices()[row];
      const bool too_large = fit_of(choice.bytes, picker_.world().memory_bytes) == Fit::kTooLarge;
      return Span{table.row(choice), too_large ? Style::kFaint : Style::kPlain};
    });
    const char* const fit =
        picker_.searches_for_scales() ? "; with scales searched for: less error at the same size, and it takes longer" : "";
    footer(fmt::format("{}: {}{}", picker_.choice().label, picker_.choice().remark, fit),
           "Up/Down: choose   f: better scales   Enter: next   Esc: back   Ctrl-C: leave");
  }

  void destination() {
    put(" Where is it to be written?");
    gap();
    put("   LM Studio", picker_.is_for_lm_studio() ? Style::kStrong : Style::kFaint);
    field(Field::kPublisher, "publisher");
    field(Field::kName, "name");
    gap();
    put("   A folder", picker_.is_for_lm_studio() ? Style::kFaint : Style::kStrong);
    field(Field::kFolder, "path");
    gap();
    put("   " + target_text());
    if (picker_.target_exists()) put("   exists already", Style::kWarning);
    footer("The lines can be edited.", "Up/Down: choose   type: edit   Enter: next   Esc: back   Ctrl-C: leave");
  }

  std::string target_text() const {
    try {
      return printable(picker_.target().string());
    } catch (const Error& error) {
      return printable(error.what());
    }
  }

  // The end of a text that is too long is what is seen.
  void field(Field which, const char* label) {
    const TextField& text = picker_.text_of(which);
    const bool is_focus = picker_.focus() == which;
    const std::string head = fmt::format(" {}   {:<12}", is_focus ? '>' : ' ', label);
    const std::string before = printable(std::string_view(text.text()).substr(0, text.cursor()));
    const std::string after = printable(std::string_view(text.text()).substr(text.cursor()));
    const size_t room = extent_.columns - std::min(extent_.columns, head.size() + 1);
    std::string_view seen = before;
    while (display_width(seen) > room) seen.remove_prefix(1);
    while (!seen.empty() && (static_cast<unsigned char>(seen[0]) & 0xC0) == 0x80) seen.remove_prefix(1);
    if (is_focus) frame_.cursor = {frame_.lines.size(), std::min(head.size() + display_width(seen), extent_.columns - 1)};
    put({{head, is_focus ? Style::kStrong : Style::kPlain}, {std::string(seen) + after, is_focus ? Style::kStrong : Style::kPlain}});
  }

  void labelled(const char* label, const std::string& text, Style style = Style::kPlain) {
    const size_t room = extent_.columns - std::min(extent_.columns, kLabelColumns + 4);
    std::string head = label;
    for (const std::string& line : wrap(printable(text), std::max<size_t>(room, 1))) {
      put({{"   " + fitted_left(head, kLabelColumns), Style::kFaint}, {line, style}});
      head.clear();
    }
  }

  void summary() {
    const QuantChoice& choice = picker_.choice();
    const uint64_t memory = picker_.world().memory_bytes;
    labelled("model", picker_.model()->name);
    labelled("", describe(*picker_.model()));
    labelled("becomes", fmt::format("{}, {}, {:.3f} bits per weight{}", choice.label, format_bytes(choice.bytes), choice.bits_per_weight,
                                    picker_.searches_for_scales() ? ", scales searched for" : ""));
    const Fit fit = fit_of(choice.bytes, memory);
    if (fit != Fit::kUnknown) {
      labelled("", fmt::format("{} in {} of memory", name_of(fit), format_memory(memory)),
               fit == Fit::kFits ? Style::kGood : Style::kWarning);
    }
    labelled("written to", picker_.target().string());
    if (picker_.target_exists())
      labelled("", picker_.may_replace() ? "what is there is replaced at the end, if all goes well" : "exists already", Style::kWarning);
    gap();
    labelled("the same as", command_line(picker_.words()), Style::kStrong);
    const bool asks = picker_.target_exists() && !picker_.may_replace();
    footer("", asks ? "r: replace what is there   Esc: back   Ctrl-C: leave" : "Enter: convert   Esc: back   Ctrl-C: leave");
  }

  const Picker& picker_;
  const Extent extent_;
  Frame frame_;
};

}  // namespace

std::string describe(const PickerModel& model) {
  return printable(
      fmt::format("{}, {} parameters, {} {}", model.architecture, format_count(model.parameters), format_bytes(model.bytes), model.dtype));
}

Frame draw(const Picker& picker, Extent extent) { return Drawing(picker, {std::max<size_t>(extent.columns, 1), extent.rows}).draw(); }

}  // namespace hf2mlx::cli

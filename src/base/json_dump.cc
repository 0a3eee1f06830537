// Writing JSON as Python's json module lays it out.
#include <fmt/format.h>

#include <cmath>

#include "base/json.h"

namespace hf2mlx {
namespace {

// As Python's repr: the shortest digits that read back as the same number.
std::string float_text(double value) {
  if (std::isnan(value)) return R"("NaN")";
  if (std::isinf(value)) return value > 0 ? R"("Infinity")" : R"("-Infinity")";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string scalar_text(const Json& value) {
  if (value.is_number_float()) return float_text(value.get<double>());
  if (value.is_binary()) return {value.get_binary().begin(), value.get_binary().end()};
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

class Dumper {
 public:
  explicit Dumper(int indent) : indent_(static_cast<size_t>(indent)) {}

  void write(const Json& value) {
    if (value.is_object()) return write_object(value);
    if (value.is_array()) return write_array(value);
    if (value.is_number_float() && !std::isfinite(value.get<double>())) return write_tagged(value);
    out_ += scalar_text(value);
  }

  std::string take() { return std::move(out_); }

 private:
  void write_object(const Json& value) {
    open('{');
    for (const auto& [key, item] : value.items()) write_member(scalar_text(key), item);
    close('}', value.empty());
  }

  void write_array(const Json& value) {
    open('[');
    for (const Json& item : value) {
      next_line();
      write(item);
    }
    close(']', value.empty());
  }

  void write_tagged(const Json& value) {
    open('{');
    next_line();
    out_ += R"("__float__": )" + float_text(value.get<double>());
    close('}', false);
  }

  void write_member(const std::string& key, const Json& item) {
    next_line();
    out_ += key;
    out_ += ": ";
    write(item);
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }

  void next_line() {
    if (out_.back() != '{' && out_.back() != '[') out_ += ',';
    new_line();
  }

  void close(char bracket, bool is_empty) {
    --depth_;
    if (!is_empty) new_line();
    out_ += bracket;
  }

  void new_line() {
    out_ += '\n';
    out_.append(depth_ * indent_, ' ');
  }

  std::string out_;
  size_t indent_;
  size_t depth_ = 0;
};

}  // namespace

std::string dump_json(const Json& value, int indent) {
  Dumper dumper(indent);
  dumper.write(value);
  return dumper.take() + "\n";
}

}  // namespace hf2mlx

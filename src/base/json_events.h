// JSON as a stream of events, for texts too large to keep as a tree.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hf2mlx {

// What a reader overrides. Each returns true to go on; to stop, it throws. Scalars that are not overridden come to other_value().
class JsonEvents : public nlohmann::json_sax<Json> {
 public:
  explicit JsonEvents(std::string where) : where_(std::move(where)) {}

  bool null() override { return other_value(); }
  bool boolean(bool) override { return other_value(); }
  bool number_integer(number_integer_t) override { return other_value(); }
  bool number_unsigned(number_unsigned_t) override { return other_value(); }
  bool number_float(number_float_t, const string_t&) override { return other_value(); }
  bool string(string_t&) override { return other_value(); }
  bool binary(binary_t&) final { return other_value(); }
  bool parse_error(std::size_t position, const std::string& last_token, const Json::exception& error) final;

 protected:
  virtual bool other_value() = 0;
  const std::string& where() const { return where_; }  // begins every message

 private:
  std::string where_;
};

// Sends the events of `text` to `events`. Text that is not JSON (invalid UTF-8 included) is an Error{kCorrupt} with line and column.
void parse_json_events(std::string_view text, JsonEvents& events);

}  // namespace hf2mlx

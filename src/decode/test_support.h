// What the tests of the decoders share: one call, and what is left of tensors and config after it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/expect_error.h"
#include "decode/decode.h"
#include "transform/test_support.h"

namespace hf2mlx::testing {

inline const Description& family(const std::string& flags = "") {
  static std::map<std::string, Description> known;
  return known.try_emplace(flags, parse_description("x", (flags.empty() ? "" : "flags " + flags + "\n") + "rules\nmodules\n"))
      .first->second;
}

inline DecodedSource decode(Json& config, TensorMap& tensors, Packing packing = Packing::kKeep) {
  return decode_source(family(), config, tensors, [&](const std::string&) { return packing; });
}

inline Error refusal(const Json& settings, TensorMap tensors) {
  Json config = {{"quantization_config", settings}};
  return error_of([&] { decode(config, tensors); });
}

inline std::vector<std::string> names_of(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

inline void expect_values(const Json& settings, TensorMap tensors, const Array& expected, const std::string& name = "a.weight") {
  Json config = {{"quantization_config", settings}, {"text_config", {{"quantization_config", settings}}}};
  EXPECT_TRUE(decode(config, tensors).packed.empty());
  EXPECT_THAT(names_of(tensors), ::testing::ElementsAre(name));
  EXPECT_EQ(config, (Json{{"text_config", Json::object()}}));
  expect_tensor(tensors[name], expected, 4096);
}

inline Json compressed(const char* format, Json weights) {
  return {{"quant_method", "compressed-tensors"},
          {"format", format},
          {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", weights}}}}}};
}

}  // namespace hf2mlx::testing

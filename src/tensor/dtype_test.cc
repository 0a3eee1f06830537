#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace hf2mlx {
namespace {

TEST(Dtype, NamesAndSizesAreThoseOfSafetensors) {
  const std::map<std::string, uint64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"U16", 2}, {"I16", 2},
      {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4},     {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8},
  };
  for (const auto& [name, size_bytes] : sizes) {
    const auto dtype = dtype_from_name(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_EQ(size_of(*dtype), size_bytes) << name;
    EXPECT_EQ(name_of(*dtype), name);
  }
}

TEST(Dtype, EnumeratorsHaveTheirOwnNames) {
  EXPECT_EQ(name_of(Dtype::kBool), "BOOL");
  EXPECT_EQ(name_of(Dtype::kF8E4M3), "F8_E4M3");
  EXPECT_EQ(name_of(Dtype::kF8E8M0), "F8_E8M0");
  EXPECT_EQ(name_of(Dtype::kF16), "F16");
  EXPECT_EQ(name_of(Dtype::kBF16), "BF16");
  EXPECT_EQ(name_of(Dtype::kU32), "U32");
  EXPECT_EQ(name_of(Dtype::kF64), "F64");
}

TEST(Dtype, UnknownNamesAreRefused) {
  for (const char* name : {"", "bf16", "F4", "BF16 ", "F8"}) EXPECT_FALSE(dtype_from_name(name).has_value()) << name;
}

TEST(Dtype, OnlyThreeAreFloats) {
  int floats = 0;
  for (int i = 0; i <= static_cast<int>(Dtype::kF64); ++i) floats += is_float(static_cast<Dtype>(i)) ? 1 : 0;
  EXPECT_EQ(floats, 3);
  EXPECT_TRUE(is_float(Dtype::kF16) && is_float(Dtype::kBF16) && is_float(Dtype::kF32));
}

}  // namespace
}  // namespace hf2mlx

#include "tensor/shape.h"

#include <gtest/gtest.h>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1u);
  EXPECT_EQ(element_count({7}), 7u);
  EXPECT_EQ(element_count({320, 128}), 40960u);
  EXPECT_EQ(element_count({4, 0, 128}), 0u);
}

TEST(Shape, SplitsIntoRowsAndCols) {
  EXPECT_EQ(rows_of({}), 1u);
  EXPECT_EQ(cols_of({}), 1u);
  EXPECT_EQ(rows_of({7}), 1u);
  EXPECT_EQ(cols_of({7}), 7u);
  EXPECT_EQ(rows_of({8, 320, 128}), 2560u);
  EXPECT_EQ(cols_of({8, 320, 128}), 128u);
}

TEST(Shape, AcceptsTheLargestAndRefusesWhatIsBeyond) {
  const uint64_t half = uint64_t{1} << 31;
  EXPECT_EQ(element_count({half, half}), uint64_t{1} << 62);
  for (const Shape& shape : {Shape{half, half, 2}, Shape{half, half, half, half}, Shape{~uint64_t{0}}}) {
    try {
      element_count(shape);
      ADD_FAILURE() << to_string(shape) << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
      EXPECT_NE(std::string(e.what()).find(to_string(shape)), std::string::npos);
    }
  }
}

TEST(Shape, AnEmptyAxisMakesHugeOnesHarmless) { EXPECT_EQ(element_count({~uint64_t{0}, ~uint64_t{0}, 0}), 0u); }

TEST(Shape, PrintsAsPythonDoes) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{5}), "[5]");
  EXPECT_EQ(to_string(Shape{320, 128}), "[320, 128]");
}

}  // namespace
}  // namespace hf2mlx

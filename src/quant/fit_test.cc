#include "quant/fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quant/test_support.h"

namespace hf2mlx::testing {
namespace {

constexpr uint64_t kRows = 5;
constexpr uint64_t kCols = 640;

struct Case {
  Encoding e;
  Dtype dtype;
  Bytes values;
  std::vector<float> weights;  // of columns; may be empty
  std::string inputs;
  const float* column_weights() const { return weights.empty() ? nullptr : weights.data(); }
};

Encoded encode_case(const Case& c, Fit fit) {
  Encoded out = room_for(c.e, c.dtype, kRows, kCols);
  encode_rows_fitted(c.e, c.dtype, c.values.data(), kRows, kCols, {fit, c.column_weights()},
                     {out.packed.data(), out.scales.data(), out.biases.data()});
  return out;
}

std::vector<float> floats_of(Dtype dtype, const Bytes& bytes) {
  std::vector<float> floats(bytes.size() / size_of(dtype));
  reference::convert_elements(dtype, bytes.data(), Dtype::kF32, reinterpret_cast<std::byte*>(floats.data()), floats.size());
  return floats;
}

// Decoded to F32, so that nothing is rounded but scale and bias as they are stored.
std::vector<float> decoded(const Case& c, const Encoded& in) {
  const auto wide = [&](const Bytes& parameters) {
    Bytes out(parameters.size() / size_of(c.dtype) * 4);
    reference::convert_elements(c.dtype, parameters.data(), Dtype::kF32, out.data(), out.size() / 4);
    return out;
  };
  const Encoded stored = has_biases(c.e) ? Encoded{in.packed, wide(in.scales), wide(in.biases)} : in;
  return floats_of(Dtype::kF32, decode_with(reference::decode_rows, c.e, Dtype::kF32, stored, kRows, kCols));
}

std::vector<double> group_errors(const Case& c, const Encoded& encoded) {
  const std::vector<float> before = floats_of(c.dtype, c.values);
  const std::vector<float> after = decoded(c, encoded);
  std::vector<double> errors(before.size() / c.e.group_size);
  for (size_t i = 0; i < before.size(); ++i) {
    const double error = double{before[i]} - double{after[i]};
    errors[i / c.e.group_size] += error * error * (c.weights.empty() ? 1.0 : double{c.weights[i % kCols]});
  }
  return errors;
}

std::vector<float> uneven_weights(uint64_t seed) {
  std::vector<float> weights(kCols);
  for (uint64_t i = 0; i < kCols; ++i) weights[i] = std::ldexp(1.0f, static_cast<int>(random_at(seed, i) % 16) - 8);
  for (uint64_t i = 0; i < kCols; i += 7) weights[i] = 0;
  return weights;
}

std::vector<Case> cases_of(const Encoding& e, Dtype dtype) {
  std::vector<Case> cases;
  for (const std::string& name : Inputs::names()) {
    const Bytes values = Inputs(dtype, e.group_size, 3).make(name, kRows * kCols);
    cases.push_back({e, dtype, values, {}, name});
    cases.push_back({e, dtype, values, uneven_weights(4), name});
  }
  return cases;
}

void expect_no_group_worse(const Case& c, Fit fit) {
  const std::vector<double> plain = group_errors(c, encode_case(c, Fit::kNearest));
  const std::vector<double> fitted = group_errors(c, encode_case(c, fit));
  for (size_t i = 0; i < plain.size(); ++i) {
    if (!std::isfinite(plain[i])) continue;
    EXPECT_LE(fitted[i], plain[i]) << describe(c.e, c.dtype) << ' ' << c.inputs << (c.weights.empty() ? "" : ", weighted") << ", group "
                                   << i;
  }
}

TEST(Fit, NoGroupIsWorseThanRoundedToNearest) {
  for (const Encoding& e : all_encodings()) {
    for (const Dtype dtype : kFloats) {
      for (const Case& c : cases_of(e, dtype)) {
        expect_no_group_worse(c, Fit::kFast);
        expect_no_group_worse(c, Fit::kBest);
      }
    }
  }
}

TEST(Fit, EveryInstructionSetChoosesAlike) {
  for (const Encoding& e : all_encodings()) {
    for (const Dtype dtype : kFloats) {
      for (const Case& c : cases_of(e, dtype)) {
        for (const Fit fit : {Fit::kFast, Fit::kBest}) {
          const Encoded expected = encode_case(c, fit);
          for_each_target([&] { EXPECT_EQ(encode_case(c, fit), expected) << describe(e, dtype); });
        }
      }
    }
  }
}

TEST(Fit, NearestIsPlainEncoding) {
  for (const Encoding& e : all_encodings()) {
    const Case c{e, Dtype::kBF16, Inputs(Dtype::kBF16, e.group_size, 3).make("weights", kRows * kCols), {}, {}};
    EXPECT_EQ(encode_case(c, Fit::kNearest), encode_with(encode_rows, e, c.dtype, c.values, kRows, kCols));
  }
}

double total(const std::vector<double>& errors) {
  double sum = 0;
  for (const double error : errors) sum += error;
  return sum;
}

// The squared error that is left of that of rounding to nearest, of values that look like weights.
double left_of(const Encoding& e, Fit fit, std::vector<float> weights = {}) {
  const Case c{e, Dtype::kBF16, Inputs(Dtype::kBF16, kRows * kCols, 3).make("weights", kRows * kCols), std::move(weights), {}};
  return total(group_errors(c, encode_case(c, fit))) / total(group_errors(c, encode_case(c, Fit::kNearest)));
}

struct MostLeft {
  uint32_t bits;
  double fast, best;
  double weighted_fast, weighted_best;  // of columns that count very differently
};

TEST(Fit, LeavesMuchLessError) {
  for (const MostLeft& most :
       {MostLeft{2, 0.73, 0.705, 0.46, 0.40}, MostLeft{3, 0.80, 0.775, 0.49, 0.38}, MostLeft{4, 0.84, 0.815, 0.505, 0.43},
        MostLeft{5, 0.845, 0.815, 0.55, 0.46}, MostLeft{6, 0.865, 0.83, 0.57, 0.48}, MostLeft{8, 0.565, 0.52, 0.475, 0.37}}) {
    const Encoding e{QuantMode::kAffine, most.bits, 64};
    EXPECT_LT(left_of(e, Fit::kFast), most.fast) << most.bits;
    EXPECT_LT(left_of(e, Fit::kBest), most.best) << most.bits;
    EXPECT_LT(left_of(e, Fit::kFast, uneven_weights(4)), most.weighted_fast) << most.bits;
    EXPECT_LT(left_of(e, Fit::kBest, uneven_weights(4)), most.weighted_best) << most.bits;
  }
}

// With one column of each group that counts as much as all the others, products of weights and codes are as long as they get.
TEST(Fit, OneColumnMayCountMost) {
  std::vector<float> weights(kCols, 1.0f);
  for (uint64_t i = 5; i < kCols; i += 32) weights[i] = 30;
  EXPECT_LT(left_of({QuantMode::kAffine, 4, 32}, Fit::kFast, weights), 0.505);
  EXPECT_LT(left_of({QuantMode::kAffine, 8, 32}, Fit::kFast, weights), 0.565);
}

TEST(Fit, LeavesLessErrorInBlocks) {
  EXPECT_LT(left_of(default_encoding(QuantMode::kMxfp4), Fit::kFast), 0.99);
  EXPECT_LT(left_of(default_encoding(QuantMode::kNvfp4), Fit::kFast), 0.95);
  EXPECT_LT(left_of(default_encoding(QuantMode::kNvfp4), Fit::kBest), left_of(default_encoding(QuantMode::kNvfp4), Fit::kFast));
}

// What is left of the values along themselves, 1 being all: errors that all groups have in common do not average out.
double kept_of(const Encoding& e, Fit fit) {
  const Case c{e, Dtype::kBF16, Inputs(Dtype::kBF16, kRows * kCols, 3).make("weights", kRows * kCols), {}, {}};
  const std::vector<float> before = floats_of(c.dtype, c.values);
  const std::vector<float> after = decoded(c, encode_case(c, fit));
  double products = 0, squares = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    products += double{before[i]} * double{after[i]};
    squares += double{before[i]} * double{before[i]};
  }
  return products / squares;
}

TEST(Fit, DoesNotShrinkTheWeightsAsLeastSquaresWould) {
  for (const Fit fit : {Fit::kFast, Fit::kBest}) {
    const Encoding e{QuantMode::kAffine, 2, 64};
    EXPECT_GT(kept_of(e, fit), 0.93);  // about 0.89 by least squares alone
    EXPECT_LT(kept_of(e, fit), 1.01);
  }
}

TEST(Fit, Names) {
  EXPECT_EQ(fit_from_name(""), Fit::kNearest);
  EXPECT_EQ(fit_from_name("fast"), Fit::kFast);
  EXPECT_EQ(fit_from_name("best"), Fit::kBest);
  EXPECT_EQ(fit_from_name("fastest"), std::nullopt);
}

}  // namespace
}  // namespace hf2mlx::testing

// Operations that compute each element from one element, or from one element and its row's factor.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/mlx_math.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

class Cast final : public LazyTensor {
 public:
  Cast(TensorRef base, Dtype dtype) : LazyTensor(dtype, base->shape()), base_(std::move(base)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    const Dtype from = base_->dtype();
    const bool wide = is_float(from) || from == Dtype::kF64;
    for_each_tile(*base_, begin, count, scratch, [&](const std::byte* in, uint64_t done, uint64_t n) {
      (wide ? convert_elements : decode_fp8)(from, in, dtype(), out + done * size_of(dtype()), n);
    });
  }

  uint64_t preferred_count() const override { return base_->preferred_count(); }

 private:
  const TensorRef base_;
};

// Changes n values, given one constant.
using FloatFunction = void (*)(float* values, uint64_t n, float operand);

// function(base), in float32, rounded to the dtype.
class FloatMap final : public LazyTensor {
 public:
  FloatMap(TensorRef base, Dtype dtype, FloatFunction function, float operand = 0)
      : LazyTensor(dtype, base->shape()), base_(std::move(base)), function_(function), operand_(operand) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (base_->dtype() == dtype()) {
      base_->read(begin, count, out, scratch);
      return map(out, out, count);
    }
    for_each_tile(*base_, begin, count, scratch,
                  [&](const std::byte* in, uint64_t done, uint64_t n) { map(in, out + done * size_of(dtype()), n); });
  }

  uint64_t preferred_count() const override { return base_->preferred_count(); }

 private:
  void map(const std::byte* in, std::byte* out, uint64_t count) const {
    map_floats(base_->dtype(), in, dtype(), out, count, [&](float* values, uint64_t n, uint64_t) { function_(values, n, operand_); });
  }

  const TensorRef base_;
  const FloatFunction function_;
  const float operand_;
};

void add(float* values, uint64_t n, float operand) {
  for (uint64_t i = 0; i < n; ++i) values[i] += operand;
}

void multiply(float* values, uint64_t n, float operand) {
  for (uint64_t i = 0; i < n; ++i) values[i] *= operand;
}

void gate_alpha(float* values, uint64_t n, float temperature) {
  for (uint64_t i = 0; i < n; ++i) {
    const float w = values[i] / temperature;
    const float kept = mlx_sigmoid(-w) * (1.0f + mlx_sigmoid(w));
    values[i] = std::sqrt(kept < 1e-3f ? 1e-3f : kept);
  }
}

void gate_beta(float* values, uint64_t n, float temperature) {
  for (uint64_t i = 0; i < n; ++i) values[i] = mlx_sigmoid(values[i] / temperature);
}

float rounded_to(Dtype dtype, double value) {
  const float single = static_cast<float>(value);
  float result;
  std::byte stored[sizeof(float)];
  convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(&single), dtype, stored, 1);
  load_floats(dtype, stored, &result, 1);
  return result;
}

TensorRef with_scalar(std::string_view operation, const TensorRef& t, FloatFunction function, double value) {
  require_float(operation, *t);
  return std::make_shared<FloatMap>(t, t->dtype(), function, rounded_to(t->dtype(), value));
}

class RowProduct final : public LazyTensor {
 public:
  RowProduct(TensorRef base, TensorRef factors)
      : LazyTensor(base->dtype(), base->shape()),
        base_(std::move(base)),
        factors_(std::move(factors)),
        row_elements_(element_count(shape()) / shape()[0]) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (count == 0) return;
    base_->read(begin, count, out, scratch);
    const uint64_t first_row = begin / row_elements_;
    const uint64_t rows = (begin + count - 1) / row_elements_ - first_row + 1;
    for_each_tile(*factors_, first_row, rows, scratch, [&](const std::byte* stored, uint64_t done, uint64_t n) {
      const uint64_t tile_begin = std::max(begin, (first_row + done) * row_elements_);
      const uint64_t tile_end = std::min(begin + count, (first_row + done + n) * row_elements_);
      for_each_row_piece(tile_begin, tile_end - tile_begin, row_elements_, row_elements_, [&](const RowPiece& piece) {
        float factor;
        load_floats(factors_->dtype(), stored + (piece.row - first_row - done) * size_of(factors_->dtype()), &factor, 1);
        std::byte* row = out + (tile_begin - begin + piece.done) * size_of(dtype());
        map_floats(dtype(), row, dtype(), row, piece.cols, [&](float* values, uint64_t m, uint64_t) { multiply(values, m, factor); });
      });
    });
  }

 private:
  const TensorRef base_;
  const TensorRef factors_;
  const uint64_t row_elements_;
};

// Truncates as an x86 float-to-integer conversion does, which is what the published scales of denormal size get.
uint8_t exponent_code(float scale) {
  const float exponent = std::log2(scale) + 127.0f;
  return std::isfinite(exponent) ? static_cast<uint8_t>(static_cast<int32_t>(exponent)) : 0;
}

class ExponentCodes final : public LazyTensor {
 public:
  explicit ExponentCodes(TensorRef base) : LazyTensor(Dtype::kU8, base->shape()), base_(std::move(base)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    for_each_tile(*base_, begin, count, scratch, [&](const std::byte* in, uint64_t done, uint64_t n) {
      for (uint64_t i = 0; i < n; ++i) {
        float scale;
        load_floats(base_->dtype(), in + i * size_of(base_->dtype()), &scale, 1);
        out[done + i] = static_cast<std::byte>(exponent_code(scale));
      }
    });
  }

 private:
  const TensorRef base_;
};

constexpr float kGateTemperature = 0.3f;

}  // namespace

TensorRef cast(const TensorRef& t, Dtype dtype) {
  const Dtype from = t->dtype();
  if (!is_float(dtype)) throw Error(ErrorCode::kInternal, fmt::format("cast: to {}, expected F16, BF16 or F32", name_of(dtype)));
  const bool fp8 = from == Dtype::kF8E4M3 || from == Dtype::kF8E5M2 || from == Dtype::kF8E8M0;
  if (from == dtype || !(is_float(from) || from == Dtype::kF64 || fp8)) return t;
  return std::make_shared<Cast>(t, dtype);
}

TensorRef add_scalar(const TensorRef& t, double value) { return with_scalar("add_scalar", t, add, value); }

TensorRef multiply_scalar(const TensorRef& t, double value) { return with_scalar("multiply_scalar", t, multiply, value); }

TensorRef multiply_rows(const TensorRef& t, const TensorRef& factors) {
  require_float("multiply_rows", *t);
  require_float("multiply_rows: factors", *factors);
  if (t->shape().empty()) fail_shape("multiply_rows", "a scalar has no rows");
  require_shape("multiply_rows: factors", *factors, {t->shape()[0]});
  return element_count(t->shape()) == 0 ? t : std::make_shared<RowProduct>(t, factors);
}

TensorRef norm_gain(const TensorRef& t) {
  require_float("norm_gain", *t);
  return std::make_shared<FloatMap>(t, Dtype::kBF16, add, 1.0f);
}

TensorRef residual_gate_alpha(const TensorRef& t) {
  require_float("residual_gate_alpha", *t);
  return std::make_shared<FloatMap>(t, Dtype::kF32, gate_alpha, kGateTemperature);
}

TensorRef residual_gate_beta(const TensorRef& t) {
  require_float("residual_gate_beta", *t);
  return std::make_shared<FloatMap>(t, Dtype::kF32, gate_beta, kGateTemperature);
}

TensorRef e8m0_from_float(const TensorRef& t) {
  require_float("e8m0_from_float", *t);
  return std::make_shared<ExponentCodes>(t);
}

}  // namespace hf2mlx::ops

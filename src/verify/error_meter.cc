// See error_meter.h.
#include "verify/error_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quant/convert.h"

namespace hf2mlx {
namespace {

// The part of a stored tensor that holds `count` bytes from `offset` on.
void read_stored(const StoredTensor& tensor, uint64_t offset_bytes, std::span<std::byte> out) {
  tensor.file->read_at(tensor.offset_bytes + offset_bytes, out);
}

double squares_of_difference(const float* a, const float* b, uint64_t n) {
  double sum = 0;
  for (uint64_t i = 0; i < n; ++i) {
    const double error = double{a[i]} - double{b[i]};
    if (std::isfinite(error)) sum += error * error;
  }
  return sum;
}

// `ratio` is of squares.
size_t step_of(double ratio) {
  if (!(ratio > 0)) return 0;
  const double step = kErrorStepsPerOctave * std::log2(ratio) / 2 + kErrorSteps;
  return static_cast<size_t>(std::clamp(step, 0.0, kErrorSteps - 1.0));
}

double root_ratio(double a, double b) { return b > 0 ? std::sqrt(a / b) : 0; }

}  // namespace

double error_of_step(size_t step) noexcept {
  return std::exp2((static_cast<double>(step) - static_cast<double>(kErrorSteps)) / kErrorStepsPerOctave);
}

ErrorMeter::ErrorMeter(const TensorPairs& pairs) : pairs_(pairs), sums_(pairs.plan().outputs.size()) {}

void ErrorMeter::Sums::add(const Sums& other) {
  error_squares += other.error_squares;
  rounding_squares += other.rounding_squares;
  value_squares += other.value_squares;
  zeros += other.zeros;
  source_zeros += other.source_zeros;
  values += other.values;
  for (size_t i = 0; i < kErrorSteps; ++i) group_errors[i] += other.group_errors[i];
  // The first of several that are equally bad, in whatever order pieces come.
  if (other.worst_ratio < worst_ratio || (other.worst_ratio == worst_ratio && other.worst_index >= worst_index)) return;
  worst_ratio = other.worst_ratio;
  worst_index = other.worst_index;
}

void ErrorMeter::observe(const EncodedPiece& piece, Scratch& scratch) {
  const Encoding& e = *piece.step.encoding;
  const size_t first = piece.step.first_output;
  const StoredTensor* weight = pairs_.find(first);
  const StoredTensor* scales = pairs_.find(first + 1);
  const StoredTensor* biases = has_biases(e) ? pairs_.find(first + 2) : nullptr;
  if (!weight || !scales || (has_biases(e) && !biases)) return;
  const uint64_t scale_size = size_of(scales->dtype);
  const Scratch::Block packed(scratch, packed_words(e, piece.count) * 4);
  const Scratch::Block own_scales(scratch, groups(e, piece.count) * scale_size);
  const Scratch::Block own_biases(scratch, biases ? own_scales.span().size() : 0);
  read_stored(*weight, packed_words(e, piece.begin) * 4, packed.span());
  read_stored(*scales, groups(e, piece.begin) * scale_size, own_scales.span());
  if (biases) read_stored(*biases, groups(e, piece.begin) * scale_size, own_biases.span());
  const Sums sums = measure(piece, {packed.data(), own_scales.data(), own_biases.data()});
  const std::lock_guard<std::mutex> lock(mutex_);
  sums_[first].add(sums);
}

// One group, or the last part of one.
void ErrorMeter::Sums::add_group(const Group& group, uint64_t index) {
  double squares = 0;
  for (uint64_t i = 0; i < group.size; ++i) {
    if (std::isfinite(group.before[i])) squares += double{group.before[i]} * double{group.before[i]};
    zeros += group.chosen[i] == 0 ? 1 : 0;
    source_zeros += group.before[i] == 0 ? 1 : 0;
  }
  const double error = squares_of_difference(group.before, group.chosen, group.size);
  error_squares += error;
  value_squares += squares;
  rounding_squares += squares_of_difference(group.before, group.rounded, group.size);
  values += group.size;
  const double ratio = squares > 0 ? error / squares : 0;
  ++group_errors[step_of(ratio)];
  if (ratio <= worst_ratio) return;
  worst_ratio = ratio;
  worst_index = index;
}

ErrorMeter::Sums ErrorMeter::measure(const EncodedPiece& piece, const ConstEncodedRows& stored) {
  // Whole groups and whole words of every encoding.
  constexpr uint64_t kChunk = 1024;
  const Encoding& e = *piece.step.encoding;
  const Dtype dtype = piece.step.value->dtype();
  const uint64_t scale_size = size_of(scale_dtype(e, dtype));
  std::byte decoded[kChunk * sizeof(float)];
  std::byte packed[kChunk], scales[kChunk], biases[kChunk];  // at most 8 bits a value, and groups of 16 or more
  float before[kChunk], chosen[kChunk], rounded[kChunk];
  Sums sums;
  for (uint64_t at = 0; at < piece.count; at += kChunk) {
    const uint64_t n = std::min(kChunk, piece.count - at);
    const std::byte* values = piece.values + at * size_of(dtype);
    const auto decode = [&](const ConstEncodedRows& rows, float* out) {
      decode_rows(e, dtype, rows, 1, n, decoded);
      convert_elements(dtype, decoded, Dtype::kF32, reinterpret_cast<std::byte*>(out), n);
    };
    convert_elements(dtype, values, Dtype::kF32, reinterpret_cast<std::byte*>(before), n);
    decode({stored.packed + packed_words(e, at) * 4, stored.scales + groups(e, at) * scale_size,
            stored.biases + (has_biases(e) ? groups(e, at) * scale_size : 0)},
           chosen);
    encode_rows(e, dtype, values, 1, n, {packed, scales, biases});
    decode({packed, scales, biases}, rounded);
    for (uint64_t i = 0; i < n; i += e.group_size) {
      sums.add_group({before + i, chosen + i, rounded + i, e.group_size}, groups(e, piece.begin + at + i));
    }
  }
  return sums;
}

std::vector<LayerError> ErrorMeter::layers() const {
  constexpr std::string_view kWeight = ".weight";
  std::vector<LayerError> out;
  for (const Step& step : pairs_.plan().steps) {
    const Sums& sums = sums_[step.first_output];
    if (!step.encoding || sums.values == 0) continue;
    const std::string& name = pairs_.plan().outputs[step.first_output].name;
    const Encoding& e = *step.encoding;
    LayerError layer;
    layer.layer = name.substr(0, name.size() - kWeight.size());
    layer.encoding = fmt::format("{} {}-bit g{}", name_of(e.mode), e.bits, e.group_size);
    layer.values = sums.values;
    layer.relative_rms = root_ratio(sums.error_squares, sums.value_squares);
    layer.rounding_rms = root_ratio(sums.rounding_squares, sums.value_squares);
    layer.worst_group = std::sqrt(sums.worst_ratio);
    layer.worst_index = sums.worst_index;
    layer.group_errors = sums.group_errors;
    layer.zeros = static_cast<double>(sums.zeros) / static_cast<double>(sums.values);
    layer.source_zeros = static_cast<double>(sums.source_zeros) / static_cast<double>(sums.values);
    out.push_back(std::move(layer));
  }
  return out;
}

}  // namespace hf2mlx

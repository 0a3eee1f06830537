// See rounding_meter.h.
#include "pipeline/rounding_meter.h"

#include <algorithm>
#include <cmath>

#include "pipeline/encode.h"
#include "quant/convert.h"

namespace hf2mlx {
namespace {

// Whole groups and whole words of every encoding.
constexpr uint64_t kRun = 1024;

// The multiples of the golden ratio lie evenly, and never in step with the rows of a matrix. Some 64 runs of a layer tell its mean.
bool is_sampled(uint64_t run, uint64_t values) {
  const uint64_t one_in = std::clamp<uint64_t>(values / kRun / 64, 8, 128);
  return ((run * 0x9E3779B97F4A7C15u) >> 32) * one_in < uint64_t{1} << 32;
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

// At most kRun values of a piece, from its element `at` on.
struct RoundingMeter::Run {
  const EncodedPiece& piece;
  const ConstEncodedRows& stored;
  uint64_t at;
  uint64_t count;
  const float* weights;  // of the columns, or null
};

// Values that share a scale.
struct RoundingMeter::Group {
  const float* before;
  const float* chosen;   // as they are stored
  const float* rounded;  // as plain rounding would store them
  const float* weights;
  uint64_t size;

  double error_of(const float* after) const {
    double sum = 0;
    for (uint64_t i = 0; i < size; ++i) {
      const double error = double{before[i]} - double{after[i]};
      if (std::isfinite(error)) sum += weight(i) * error * error;
    }
    return sum;
  }
  double squares() const {
    double sum = 0;
    for (uint64_t i = 0; i < size; ++i) {
      if (std::isfinite(before[i])) sum += weight(i) * double{before[i]} * double{before[i]};
    }
    return sum;
  }
  double weight(uint64_t i) const { return weights ? double{weights[i]} : 1.0; }
};

RoundingMeter::RoundingMeter(const Plan& plan, Sample sample) : plan_(plan), sample_(sample), sums_(plan.outputs.size()) {}

void RoundingMeter::Sums::add(const Sums& other) {
  error_squares += other.error_squares;
  rounding_squares += other.rounding_squares;
  value_squares += other.value_squares;
  zeros += other.zeros;
  rounding_zeros += other.rounding_zeros;
  source_zeros += other.source_zeros;
  values += other.values;
  for (size_t i = 0; i < kErrorSteps; ++i) group_errors[i] += other.group_errors[i];
  // The first of several that are equally bad, in whatever order pieces come.
  if (other.worst_ratio < worst_ratio || (other.worst_ratio == worst_ratio && other.worst_index >= worst_index)) return;
  worst_ratio = other.worst_ratio;
  worst_index = other.worst_index;
}

void RoundingMeter::Sums::add_group(const Group& group, uint64_t index) {
  const auto zeros_in = [&](const float* of) { return static_cast<uint64_t>(std::count(of, of + group.size, 0.0f)); };
  const double error = group.error_of(group.chosen);
  const double squares = group.squares();
  error_squares.add(error);
  value_squares.add(squares);
  rounding_squares.add(group.error_of(group.rounded));
  zeros += zeros_in(group.chosen);
  rounding_zeros += zeros_in(group.rounded);
  source_zeros += zeros_in(group.before);
  values += group.size;
  const double ratio = squares > 0 ? error / squares : 0;
  ++group_errors[step_of(ratio)];
  if (ratio <= worst_ratio) return;
  worst_ratio = ratio;
  worst_index = index;
}

void RoundingMeter::Sums::add_run(const Run& run) {
  const Encoding& e = *run.piece.step.encoding;
  const Dtype dtype = run.piece.step.value->dtype();
  const uint64_t scales_at = groups(e, run.at) * size_of(scale_dtype(e, dtype));
  std::byte decoded[kRun * sizeof(float)];
  std::byte packed[kRun], scales[kRun], biases[kRun];  // at most 8 bits a value, and groups of 16 or more
  float before[kRun], chosen[kRun], rounded[kRun];
  const std::byte* source = run.piece.values + run.at * size_of(dtype);
  const auto decode = [&](const ConstEncodedRows& rows, float* out) {
    decode_rows(e, dtype, rows, 1, run.count, decoded);
    convert_elements(dtype, decoded, Dtype::kF32, reinterpret_cast<std::byte*>(out), run.count);
  };
  convert_elements(dtype, source, Dtype::kF32, reinterpret_cast<std::byte*>(before), run.count);
  decode({run.stored.packed + packed_words(e, run.at) * 4, run.stored.scales + scales_at,
          has_biases(e) ? run.stored.biases + scales_at : nullptr},
         chosen);
  encode_rows(e, dtype, source, 1, run.count, {packed, scales, biases});
  decode({packed, scales, biases}, rounded);
  for (uint64_t i = 0; i < run.count; i += e.group_size) {
    const float* weights = run.weights ? run.weights + i : nullptr;
    add_group({before + i, chosen + i, rounded + i, weights, e.group_size}, groups(e, run.piece.begin + run.at + i));
  }
}

void RoundingMeter::add(const EncodedPiece& piece, const ConstEncodedRows& stored, Scratch& scratch) {
  Sums sums;
  const uint64_t values = element_count(piece.step.value->shape());
  for_each_weighted_run(piece.step, {{}, piece.begin, piece.count}, scratch, [&](const WeightedRun& part) {
    const uint64_t end = part.done + part.count;
    for (uint64_t at = part.done, count; at < end; at += count) {
      const uint64_t index = piece.begin + at;
      count = std::min(kRun - index % kRun, end - at);
      if (sample_ == Sample::kSome && !is_sampled(index / kRun, values)) continue;
      sums.add_run({piece, stored, at, count, part.weights ? part.weights + (at - part.done) : nullptr});
    }
  });
  if (sums.values == 0) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  sums_[piece.step.first_output].add(sums);
}

std::vector<LayerError> RoundingMeter::layers() const {
  constexpr std::string_view kWeight = ".weight";
  std::vector<LayerError> out;
  for (const Step& step : plan_.steps) {
    const Sums& sums = sums_[step.first_output];
    if (!step.encoding || sums.values == 0) continue;
    const std::string& name = plan_.outputs[step.first_output].name;
    const auto measured = static_cast<double>(sums.values);
    LayerError layer;
    layer.layer = name.substr(0, name.size() - kWeight.size());
    layer.encoding = to_text(*step.encoding);
    layer.values = element_count(step.value->shape());
    layer.measured = sums.values;
    layer.weighted = step.column_weights != nullptr;
    layer.value_rms = root_ratio(sums.value_squares.value(), measured);
    layer.relative_rms = root_ratio(sums.error_squares.value(), sums.value_squares.value());
    layer.rounding_rms = root_ratio(sums.rounding_squares.value(), sums.value_squares.value());
    layer.worst_group = std::sqrt(sums.worst_ratio);
    layer.worst_index = sums.worst_index;
    layer.group_errors = sums.group_errors;
    layer.zeros = static_cast<double>(sums.zeros) / measured;
    layer.rounding_zeros = static_cast<double>(sums.rounding_zeros) / measured;
    layer.source_zeros = static_cast<double>(sums.source_zeros) / measured;
    out.push_back(std::move(layer));
  }
  return out;
}

}  // namespace hf2mlx

// What encodings there are, and which kernel each one goes to.
#include "quant/codec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>

#include "quant/affine.h"
#include "quant/microscaling.h"

namespace hf2mlx {
namespace {

constexpr std::array<uint32_t, 7> kAffineBits = {1, 2, 3, 4, 5, 6, 8};
constexpr std::array<uint32_t, 3> kAffineGroupSizes = {32, 64, 128};
constexpr std::array<uint32_t, 1> k4 = {4};
constexpr std::array<uint32_t, 1> k8 = {8};
constexpr std::array<uint32_t, 1> k16 = {16};
constexpr std::array<uint32_t, 1> k32 = {32};

struct ModeInfo {
  std::string_view name;
  Encoding defaults;
  std::span<const uint32_t> bits;
  std::span<const uint32_t> group_sizes;
};

// In the order of the enumerators.
constexpr std::array<ModeInfo, 4> kModes = {{
    {"affine", {QuantMode::kAffine, 4, 64}, kAffineBits, kAffineGroupSizes},
    {"mxfp4", {QuantMode::kMxfp4, 4, 32}, k4, k32},
    {"mxfp8", {QuantMode::kMxfp8, 8, 32}, k8, k32},
    {"nvfp4", {QuantMode::kNvfp4, 4, 16}, k4, k16},
}};

const ModeInfo& info(QuantMode mode) noexcept { return kModes[static_cast<size_t>(mode)]; }

std::string why_not_one_of(std::string_view mode, std::string_view what, uint32_t found, std::span<const uint32_t> values) {
  if (std::find(values.begin(), values.end(), found) != values.end()) return {};
  return fmt::format("{}: found {} {}, expected {}", mode, what, found, fmt::join(values, ", "));
}

}  // namespace

std::string to_text(const Encoding& e) { return fmt::format("{} {}-bit g{}", name_of(e.mode), e.bits, e.group_size); }

std::string_view name_of(QuantMode mode) noexcept { return info(mode).name; }

std::optional<QuantMode> quant_mode_from_name(std::string_view name) noexcept {
  for (const ModeInfo& mode : kModes) {
    if (mode.name == name) return mode.defaults.mode;
  }
  return std::nullopt;
}

Encoding default_encoding(QuantMode mode) noexcept { return info(mode).defaults; }

std::string why_unsupported(const Encoding& e) {
  const ModeInfo& mode = info(e.mode);
  std::string why = why_not_one_of(mode.name, "bits", e.bits, mode.bits);
  return why.empty() ? why_not_one_of(mode.name, "group size", e.group_size, mode.group_sizes) : why;
}

Dtype scale_dtype(const Encoding& e, Dtype input) noexcept { return has_biases(e) ? input : Dtype::kU8; }

uint64_t packed_words(const Encoding& e, uint64_t cols) noexcept { return cols * e.bits / 32; }

uint64_t groups(const Encoding& e, uint64_t cols) noexcept { return cols / e.group_size; }

// Groups follow one another from row to row without a gap in every buffer, so a matrix is simply a run of groups.
void encode_rows(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out) {
  const uint64_t group_count = rows * groups(e, cols);
  if (has_biases(e)) return encode_affine(e, dtype, values, group_count, out);
  encode_microscaling(e, dtype, values, group_count, out);
}

void decode_rows(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t rows, uint64_t cols, std::byte* values) {
  const uint64_t group_count = rows * groups(e, cols);
  if (has_biases(e)) return decode_affine(e, dtype, in, group_count, values);
  decode_microscaling(e, dtype, in, group_count, values);
}

}  // namespace hf2mlx

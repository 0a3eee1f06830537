// Speed of every encoding and of the conversions, in bytes of unpacked values, with memcpy beside them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <random>
#include <vector>

#include "quant/codec.h"
#include "quant/convert.h"
#include "quant/fit.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kRows = 256;
constexpr uint64_t kCols = 4096;
constexpr uint64_t kCount = kRows * kCols;  // 2 MB of BF16: between the second and the third cache

std::vector<std::byte> random_values(Dtype dtype) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, 0.02f);
  std::vector<float> floats(kCount);
  for (float& x : floats) x = normal(random);
  std::vector<std::byte> values(kCount * size_of(dtype));
  convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(floats.data()), dtype, values.data(), kCount);
  return values;
}

struct Buffers {
  explicit Buffers(const Encoding& e, Dtype dtype)
      : packed(kRows * packed_words(e, kCols) * 4), scales(kRows * groups(e, kCols) * size_of(dtype)), biases(scales.size()) {}
  EncodedRows rows() { return {packed.data(), scales.data(), biases.data()}; }
  std::vector<std::byte> packed, scales, biases;
};

void count_bytes(benchmark::State& state, Dtype dtype) { state.SetBytesProcessed(state.iterations() * kCount * size_of(dtype)); }

void encode(benchmark::State& state, Encoding e, Dtype dtype) {
  const auto values = random_values(dtype);
  Buffers out(e, dtype);
  for (auto _ : state) encode_rows(e, dtype, values.data(), kRows, kCols, out.rows());
  count_bytes(state, dtype);
}

void fit(benchmark::State& state, Encoding e, Fit fit) {
  const auto values = random_values(Dtype::kBF16);
  Buffers out(e, Dtype::kBF16);
  for (auto _ : state) encode_rows_fitted(e, Dtype::kBF16, values.data(), kRows, kCols, {fit, nullptr}, out.rows());
  count_bytes(state, Dtype::kBF16);
}

void decode(benchmark::State& state, Encoding e, Dtype dtype) {
  auto values = random_values(dtype);
  Buffers in(e, dtype);
  encode_rows(e, dtype, values.data(), kRows, kCols, in.rows());
  for (auto _ : state) decode_rows(e, dtype, {in.packed.data(), in.scales.data(), in.biases.data()}, kRows, kCols, values.data());
  count_bytes(state, dtype);
}

void convert(benchmark::State& state, Dtype from, Dtype to) {
  const auto in = random_values(from);
  std::vector<std::byte> out(kCount * size_of(to));
  for (auto _ : state) convert_elements(from, in.data(), to, out.data(), kCount);
  count_bytes(state, from);
}

void fp8(benchmark::State& state, Dtype from) {
  std::vector<std::byte> in(kCount);
  for (uint64_t i = 0; i < kCount; ++i) in[i] = static_cast<std::byte>(i * 37);
  std::vector<std::byte> out(kCount * 2);
  for (auto _ : state) decode_fp8(from, in.data(), Dtype::kBF16, out.data(), kCount);
  count_bytes(state, Dtype::kBF16);
}

void copy(benchmark::State& state, uint64_t size_bytes) {
  const std::vector<std::byte> in(size_bytes, std::byte{1});
  std::vector<std::byte> out(size_bytes);
  for (auto _ : state) {
    std::memcpy(out.data(), in.data(), in.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size_bytes));
}

std::vector<Encoding> all_encodings() {
  std::vector<Encoding> encodings;
  for (const uint32_t bits : {1u, 2u, 3u, 4u, 5u, 6u, 8u}) encodings.push_back({QuantMode::kAffine, bits, 64});
  encodings.push_back({QuantMode::kAffine, 4, 32});
  encodings.push_back({QuantMode::kAffine, 4, 128});
  for (const QuantMode mode : {QuantMode::kMxfp4, QuantMode::kMxfp8, QuantMode::kNvfp4}) encodings.push_back(default_encoding(mode));
  return encodings;
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("memcpy/BF16", copy, kCount * 2);
  benchmark::RegisterBenchmark("memcpy/256MB", copy, 256 << 20);  // beyond every cache
  for (const Dtype dtype : {Dtype::kBF16, Dtype::kF16, Dtype::kF32}) {
    for (const Encoding& e : all_encodings()) {
      const std::string name = fmt::format("{}/{}bit/g{}/{}", name_of(e.mode), e.bits, e.group_size, name_of(dtype));
      benchmark::RegisterBenchmark(("encode/" + name).c_str(), encode, e, dtype);
      benchmark::RegisterBenchmark(("decode/" + name).c_str(), decode, e, dtype);
    }
    for (const Dtype to : {Dtype::kBF16, Dtype::kF16, Dtype::kF32}) {
      if (to != dtype) benchmark::RegisterBenchmark(fmt::format("convert/{}/{}", name_of(dtype), name_of(to)).c_str(), convert, dtype, to);
    }
  }
  for (const Encoding& e : all_encodings()) {
    const std::string name = fmt::format("{}/{}bit/g{}", name_of(e.mode), e.bits, e.group_size);
    benchmark::RegisterBenchmark(("fit_fast/" + name).c_str(), fit, e, Fit::kFast);
    benchmark::RegisterBenchmark(("fit_best/" + name).c_str(), fit, e, Fit::kBest);
  }
  for (const Dtype from : {Dtype::kF8E4M3, Dtype::kF8E5M2, Dtype::kF8E8M0}) {
    benchmark::RegisterBenchmark(fmt::format("decode_fp8/{}/BF16", name_of(from)).c_str(), fp8, from);
  }
  return true;
}();

}  // namespace
}  // namespace hf2mlx

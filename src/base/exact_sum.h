// A sum of numbers that is the same in whatever order they are added, and so for any number of threads.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace hf2mlx {

// Of finite numbers that are not negative; up to 2^32 of them.
class ExactSum {
 public:
  // The mantissa is an integer of 53 bits; shifted by less than a limb, it falls into three limbs.
  void add(double value) {
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t exponent = bits >> kFractionBits;
    const uint64_t implied = exponent == 0 ? 0 : uint64_t{1} << kFractionBits;
    const uint64_t mantissa = (bits & ((uint64_t{1} << kFractionBits) - 1)) | implied;
    const uint64_t place = exponent == 0 ? 0 : exponent - 1;
    const uint64_t low = (mantissa & kLimbMask) << (place % kLimbBits);
    const uint64_t high = (mantissa >> kLimbBits) << (place % kLimbBits);
    uint64_t* const limb = &limbs_[place / kLimbBits];
    limb[0] += low & kLimbMask;
    limb[1] += (low >> kLimbBits) + (high & kLimbMask);
    limb[2] += high >> kLimbBits;
  }

  ExactSum& operator+=(const ExactSum& other) {
    for (size_t i = 0; i < limbs_.size(); ++i) limbs_[i] += other.limbs_[i];
    return *this;
  }

  double value() const {
    double sum = 0;
    for (size_t i = limbs_.size(); i-- > 0;) sum += std::ldexp(static_cast<double>(limbs_[i]), static_cast<int>(i) * kLimbBits - kBias);
    return sum;
  }

 private:
  static constexpr int kFractionBits = 52;
  static constexpr int kLimbBits = 32;
  static constexpr uint64_t kLimbMask = 0xFFFFFFFF;
  static constexpr int kBias = 1074;  // of the lowest bit of the smallest number

  std::array<uint64_t, 67> limbs_{};
};

}  // namespace hf2mlx

// SHA-256 that can be put down and taken up again: between blocks of 64 bytes all it knows is 32 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace hf2mlx {

// What is known after some multiple of 64 bytes.
using Sha256State = std::array<std::byte, 32>;

// Not thread-safe.
class Sha256Chain {
 public:
  static constexpr uint64_t kBlockBytes = 64;

  Sha256Chain();
  // Goes on behind `hashed_bytes`, a multiple of 64, of which `state` was taken.
  Sha256Chain(const Sha256State& state, uint64_t hashed_bytes);

  void update(std::span<const std::byte> data);
  uint64_t hashed_bytes() const;
  Sha256State state() const;   // requires: hashed_bytes() is a multiple of 64
  std::string finish() const;  // 64 lower-case hexadecimal digits

 private:
  // OpenSSL's SHA256_CTX, whose header stays out of this one.
  alignas(8) std::array<std::byte, 112> context_;
};

// The digest itself, of one piece.
Sha256State sha256_of(std::span<const std::byte> data);

}  // namespace hf2mlx

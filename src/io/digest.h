// A digest of bytes that arrive in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "io/file.h"

namespace hf2mlx {

enum class Hash { kSha1, kSha256 };

// Not thread-safe. finish() ends its life.
class Digest {
 public:
  explicit Digest(Hash hash);
  void update(std::span<const std::byte> data);
  std::string finish();  // lower-case hexadecimal digits: 40 of SHA-1, 64 of SHA-256

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

// The digest of what `digest` has and all of `file`. `advanced`, if any, is called after each piece with its bytes; what it throws comes
// out.
std::string digest_of(Digest digest, const Reader& file, const std::function<void(uint64_t bytes)>& advanced = {});

}  // namespace hf2mlx

// See sha256_chain.h. OpenSSL's EVP interface cannot be saved, so this uses the one below it, which OpenSSL 3 keeps but advises against.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "io/sha256_chain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

#include <cstring>
#include <type_traits>

namespace hf2mlx {
namespace {

using Context = std::array<std::byte, sizeof(SHA256_CTX)>;

SHA256_CTX unpack(const Context& bytes) {
  SHA256_CTX context;
  std::memcpy(&context, bytes.data(), sizeof context);
  return context;
}

void pack(const SHA256_CTX& context, Context& bytes) { std::memcpy(bytes.data(), &context, sizeof context); }

uint64_t bits_of(const SHA256_CTX& context) { return (uint64_t{context.Nh} << 32) | context.Nl; }

}  // namespace

Sha256Chain::Sha256Chain() {
  static_assert(sizeof context_ == sizeof(SHA256_CTX) && std::is_trivially_copyable_v<SHA256_CTX>);
  SHA256_CTX context;
  SHA256_Init(&context);
  pack(context, context_);
}

Sha256Chain::Sha256Chain(const Sha256State& state, uint64_t hashed_bytes) : Sha256Chain() {
  SHA256_CTX context = unpack(context_);
  static_assert(sizeof context.h == sizeof state);
  std::memcpy(context.h, state.data(), sizeof context.h);
  const uint64_t bits = hashed_bytes * 8;
  context.Nl = static_cast<SHA_LONG>(bits & 0xffffffff);
  context.Nh = static_cast<SHA_LONG>(bits >> 32);
  pack(context, context_);
}

void Sha256Chain::update(std::span<const std::byte> data) {
  SHA256_CTX context = unpack(context_);
  SHA256_Update(&context, data.data(), data.size());
  pack(context, context_);
}

uint64_t Sha256Chain::hashed_bytes() const { return bits_of(unpack(context_)) / 8; }

Sha256State Sha256Chain::state() const {
  Sha256State state;
  const SHA256_CTX context = unpack(context_);
  std::memcpy(state.data(), context.h, sizeof context.h);
  return state;
}

std::string Sha256Chain::finish() const {
  SHA256_CTX context = unpack(context_);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &context);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

Sha256State sha256_of(std::span<const std::byte> data) {
  Sha256State digest;
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace hf2mlx

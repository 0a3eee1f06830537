// See digest.h.
#include "io/digest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

EVP_MD_CTX* evp(void* context) { return static_cast<EVP_MD_CTX*>(context); }

void check(int result) {
  if (result != 1) throw Error(ErrorCode::kInternal, "digest: OpenSSL failed, expected a digest", "check the OpenSSL installation");
}

}  // namespace

void Digest::Free::operator()(void* context) const { EVP_MD_CTX_free(evp(context)); }

Digest::Digest(Hash hash) : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex(evp(context_.get()), hash == Hash::kSha1 ? EVP_sha1() : EVP_sha256(), nullptr));
}

void Digest::update(std::span<const std::byte> data) { check(EVP_DigestUpdate(evp(context_.get()), data.data(), data.size())); }

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size_bytes = 0;
  check(EVP_DigestFinal_ex(evp(context_.get()), digest.data(), &size_bytes));
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + size_bytes, ""));
}

}  // namespace hf2mlx

// See digest.h.
#include "io/digest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

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

std::string digest_of(Digest digest, const Reader& file, const std::function<void(uint64_t)>& advanced) {
  std::vector<std::byte> buffer(std::min<uint64_t>(kPieceBytes, file.size()));
  for (uint64_t at = 0; at < file.size();) {
    const std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(buffer.size(), file.size() - at));
    file.read_at(at, piece);
    digest.update(piece);
    at += piece.size();
    if (advanced) advanced(piece.size());
  }
  return digest.finish();
}

}  // namespace hf2mlx

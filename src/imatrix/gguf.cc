// See gguf.h. Facts from ggml's docs/gguf.md.
#include "imatrix/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/bytes.h"
#include "hf2mlx/error.h"
#include "imatrix/cursor.h"
#include "tensor/dtype.h"

namespace hf2mlx {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint32_t kMaxAxes = 4;
constexpr uint64_t kMaxAlignment = 1 << 20;

enum ValueType : uint32_t { kU32 = 4, kString = 8, kArray = 9 };
// u8 i8 u16 i16 u32 i32 f32 bool, string and array, u64 i64 f64.
constexpr std::array<uint64_t, 13> kValueBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

class Parser {
 public:
  explicit Parser(const Reader& file) : file_(file), at_(file) {}

  Gguf parse() {
    at_.number<uint32_t>();
    const auto version = at_.number<uint32_t>();
    if (version != 2 && version != 3) {
      throw Error(ErrorCode::kUnsupported, fmt::format("{}: GGUF version {} found, 2 or 3 expected", file_.name(), version),
                  "write it anew with a current llama.cpp");
    }
    const auto tensors = at_.number<uint64_t>();
    const auto pairs = at_.number<uint64_t>();
    at_.require_room(pairs, 8 + 4 + 1, "key-value pairs");
    for (uint64_t i = 0; i < pairs; ++i) read_pair();
    at_.require_room(tensors, 8 + 4 + 4 + 8, "tensors");
    for (uint64_t i = 0; i < tensors; ++i) out_.tensors.push_back(read_tensor());
    place_data();
    return std::move(out_);
  }

 private:
  std::string string() { return at_.text(at_.number<uint64_t>()); }

  void read_pair() {
    const std::string key = string();
    const auto type = at_.number<uint32_t>();
    if (key == "general.type" && type == kString)
      out_.type = string();
    else if (key == "general.alignment" && type == kU32)
      alignment_ = at_.number<uint32_t>();
    else
      skip_value(type);
    if (alignment_ == 0 || alignment_ > kMaxAlignment || !std::has_single_bit(alignment_))
      at_.fail(fmt::format("an alignment of {} found, a power of two up to {} expected", alignment_, kMaxAlignment));
  }

  void skip_value(uint32_t type) {
    if (type == kString) return at_.skip(at_.number<uint64_t>());
    if (type == kArray) return skip_array();
    at_.skip(bytes_of_value(type));
  }

  void skip_array() {
    const auto type = at_.number<uint32_t>();
    const auto count = at_.number<uint64_t>();
    if (type == kString) {
      at_.require_room(count, 8, "strings");
      for (uint64_t i = 0; i < count; ++i) at_.skip(at_.number<uint64_t>());
      return;
    }
    const uint64_t size = bytes_of_value(type);
    at_.require_room(count, size, "values");
    at_.skip(count * size);
  }

  uint64_t bytes_of_value(uint32_t type) const {
    if (type >= kValueBytes.size() || kValueBytes[type] == 0) at_.fail(fmt::format("a value of type {} found, which is not known", type));
    return kValueBytes[type];
  }

  GgufTensor read_tensor() {
    GgufTensor t;
    t.name = string();
    const auto axes = at_.number<uint32_t>();
    if (axes > kMaxAxes) at_.fail(fmt::format("{}: {} axes found, at most {} expected", t.name, axes, kMaxAxes));
    for (uint32_t i = 0; i < axes; ++i) t.shape.insert(t.shape.begin(), at_.number<uint64_t>());
    t.type = at_.number<uint32_t>();
    t.offset_bytes = at_.number<uint64_t>();
    return t;
  }

  // Offsets count from the beginning of the data.
  void place_data() {
    const auto end = checked_add(at_.offset(), alignment_ - 1);
    const uint64_t data = *end / alignment_ * alignment_;
    for (GgufTensor& t : out_.tensors) {
      const auto begin = checked_add(data, t.offset_bytes);
      const auto size = checked_multiply(element_count(t.shape), size_of(Dtype::kF32));
      const auto last = begin && size ? checked_add(*begin, *size) : std::nullopt;
      if (!last || (t.type == kGgufF32 && *last > file_.size()))
        throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} ends beyond the end of the file", file_.name(), t.name),
                    "the file may be incompletely downloaded");
      t.offset_bytes = *begin;
    }
  }

  const Reader& file_;
  Cursor at_;
  Gguf out_;
  uint64_t alignment_ = 32;
};

}  // namespace

bool is_gguf(const Reader& file) { return file.size() >= 4 && Cursor(file).number<uint32_t>() == kMagic; }

Gguf parse_gguf(const Reader& file) { return Parser(file).parse(); }

}  // namespace hf2mlx

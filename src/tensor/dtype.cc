// The table of element types.
#include "tensor/dtype.h"

#include <array>

namespace hf2mlx {
namespace {

struct DtypeInfo {
  std::string_view name;
  uint64_t size_bytes;
};

// In the order of the enumerators.
constexpr std::array<DtypeInfo, 16> kDtypes = {{
    {"BOOL", 1},
    {"U8", 1},
    {"I8", 1},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"F8_E8M0", 1},
    {"U16", 2},
    {"I16", 2},
    {"F16", 2},
    {"BF16", 2},
    {"U32", 4},
    {"I32", 4},
    {"F32", 4},
    {"U64", 8},
    {"I64", 8},
    {"F64", 8},
}};
static_assert(kDtypes.size() == static_cast<size_t>(Dtype::kF64) + 1);

}  // namespace

uint64_t size_of(Dtype dtype) noexcept { return kDtypes[static_cast<size_t>(dtype)].size_bytes; }

std::string_view name_of(Dtype dtype) noexcept { return kDtypes[static_cast<size_t>(dtype)].name; }

std::optional<Dtype> dtype_from_name(std::string_view name) noexcept {
  for (size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].name == name) return static_cast<Dtype>(i);
  }
  return std::nullopt;
}

bool is_float(Dtype dtype) noexcept { return dtype == Dtype::kF16 || dtype == Dtype::kBF16 || dtype == Dtype::kF32; }

}  // namespace hf2mlx

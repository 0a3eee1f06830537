// Laying out a safetensors file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "hf2mlx/error.h"
#include "tensor/safetensors.h"

namespace hf2mlx {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kAlignmentBytes = 8;
constexpr std::string_view kMetadata = R"({"__metadata__":{"format":"mlx"})";

void set_length(std::string& header, uint64_t length) {
  for (size_t i = 0; i < kLengthBytes; ++i) header[i] = static_cast<char>(length >> (8 * i));
}

uint64_t bytes_of(const TensorSpec& tensor) {
  return size_of(tensor.dtype) * element_count(Shape(tensor.shape.begin(), tensor.shape.end()));
}

}  // namespace

SafetensorsLayout lay_out_safetensors(std::span<const TensorSpec> tensors) {
  SafetensorsLayout out;
  out.header.assign(kLengthBytes, '\0');
  out.header += kMetadata;
  uint64_t end = 0;
  for (const TensorSpec& tensor : tensors) {
    const uint64_t begin = end;
    end += bytes_of(tensor);
    out.offsets_bytes.push_back(begin);
    fmt::format_to(std::back_inserter(out.header), R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", Json(tensor.name).dump(),
                   name_of(tensor.dtype), fmt::join(tensor.shape, ","), begin, end);
  }
  out.header += '}';
  out.header.resize((out.header.size() + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes, ' ');
  const uint64_t length = out.header.size() - kLengthBytes;
  if (length > kMaxSafetensorsHeaderBytes) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{} tensors: a header of {} bytes, expected at most {}", tensors.size(), length, kMaxSafetensorsHeaderBytes),
                "write several files");
  }
  set_length(out.header, length);
  for (uint64_t& offset : out.offsets_bytes) offset += out.header.size();
  out.file_size_bytes = out.header.size() + end;
  return out;
}

}  // namespace hf2mlx

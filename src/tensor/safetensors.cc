// Reading and checking safetensors headers.
#include "tensor/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "base/json_events.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr const char* kIncompleteHint = "the file may be incompletely downloaded; download it again";
constexpr const char* kDamagedHint = "the file is damaged or was not written as safetensors";
constexpr uint64_t kLengthBytes = 8;

// Collects the entries while the header streams by; what is within unknown fields is skipped.
class HeaderEvents final : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;

  std::vector<TensorEntry> take() {
    if (place_ != Place::kEnd) fail("found no object, expected one");
    return std::move(tensors_);
  }

  bool string(string_t& value) override {
    if (place_ == Place::kTensor && field_ == Field::kDtype) return set_dtype(value);
    if (place_ == Place::kMetadata) return true;
    return other_value();
  }

  // MLX writes null where it was given no metadata.
  bool null() override { return (place_ == Place::kHeader && tensor_.name == "__metadata__") || other_value(); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      tensor_.shape.push_back(value);
    } else if (place_ == Place::kOffsets) {
      offsets_.push_back(value);
    } else {
      return other_value();
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (skip_into()) return true;
    if (place_ == Place::kStart) {
      place_ = Place::kHeader;
    } else if (place_ == Place::kHeader) {
      start_entry();
    } else {
      fail_at_value("an object");
    }
    return true;
  }

  bool end_object() override {
    if (skip_out()) return true;
    if (place_ == Place::kTensor) finish_tensor();
    place_ = place_ == Place::kHeader ? Place::kEnd : Place::kHeader;
    return true;
  }

  bool start_array(std::size_t) override {
    if (skip_into()) return true;
    if (place_ != Place::kTensor || field_ == Field::kDtype) fail_at_value("an array");
    place_ = field_ == Field::kShape ? Place::kShape : Place::kOffsets;
    return true;
  }

  bool end_array() override {
    if (!skip_out()) place_ = Place::kTensor;
    return true;
  }

  bool key(string_t& name) override {
    if (skipped_levels_ > 0) return true;
    if (place_ == Place::kHeader) {
      tensor_.name = std::move(name);
    } else if (place_ == Place::kTensor) {
      start_field(name);
    }
    return true;
  }

 private:
  enum class Place { kStart, kHeader, kMetadata, kTensor, kShape, kOffsets, kEnd };
  enum class Field { kDtype, kShape, kOffsets, kOther };

  bool other_value() override {
    if (skipped_levels_ > 0 || (place_ == Place::kTensor && field_ == Field::kOther)) return true;
    fail_at_value("another value");
  }

  bool skip_into() {
    if (skipped_levels_ == 0 && !(place_ == Place::kTensor && field_ == Field::kOther)) return false;
    ++skipped_levels_;
    return true;
  }

  bool skip_out() {
    if (skipped_levels_ == 0) return false;
    --skipped_levels_;
    return true;
  }

  void start_entry() {
    if (tensor_.name == "__metadata__") {
      if (std::exchange(has_metadata_, true)) fail("__metadata__ is there twice, expected once");
      place_ = Place::kMetadata;
      return;
    }
    place_ = Place::kTensor;
    tensor_.shape.clear();
    offsets_.clear();
    seen_fields_ = 0;
  }

  void start_field(const std::string& name) {
    field_ = name == "dtype" ? Field::kDtype : name == "shape" ? Field::kShape : name == "data_offsets" ? Field::kOffsets : Field::kOther;
    if (field_ == Field::kOther) return;
    const unsigned bit = 1u << static_cast<unsigned>(field_);
    if ((seen_fields_ & bit) != 0) fail_tensor(fmt::format("{} is there twice, expected once", name));
    seen_fields_ |= bit;
  }

  bool set_dtype(const std::string& name) {
    const std::optional<Dtype> dtype = dtype_from_name(name);
    if (!dtype) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: tensor {}: dtype {}, expected one of those that MLX reads", where(), tensor_.name, name));
    }
    tensor_.dtype = *dtype;
    return true;
  }

  void finish_tensor() {
    if (seen_fields_ != 7) fail_tensor("found no dtype, shape or data_offsets, expected all three");
    if (offsets_.size() != 2) fail_tensor(fmt::format("{} data_offsets, expected 2", offsets_.size()));
    if (offsets_[0] > offsets_[1]) fail_tensor(fmt::format("data_offsets [{}, {}], expected them to rise", offsets_[0], offsets_[1]));
    tensor_.offset_bytes = offsets_[0];
    tensor_.size_bytes = offsets_[1] - offsets_[0];
    const std::optional<uint64_t> expected = checked_size();
    if (tensor_.size_bytes != expected) {
      fail_tensor(fmt::format("{} bytes at data offset {}, expected {} for {} {}", tensor_.size_bytes, offsets_[0],
                              expected ? std::to_string(*expected) : "more than fit a file", name_of(tensor_.dtype),
                              to_string(tensor_.shape)));
    }
    tensors_.push_back(std::move(tensor_));
    tensor_ = {};
  }

  std::optional<uint64_t> checked_size() const {
    try {
      return checked_multiply(element_count(tensor_.shape), size_of(tensor_.dtype));
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: header: {}", where(), message), kDamagedHint);
  }
  [[noreturn]] void fail_tensor(const std::string& message) const {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: tensor {}: {}", where(), tensor_.name, message), kDamagedHint);
  }
  [[noreturn]] void fail_at_value(const char* found) const {
    switch (place_) {
      case Place::kStart:
      case Place::kEnd:
        fail(fmt::format("found {}, expected one object", found));
      case Place::kMetadata:
        fail(fmt::format("found {} in __metadata__, expected text", found));
      case Place::kHeader:
        fail_tensor(fmt::format("found {}, expected an object", found));
      case Place::kShape:
        fail_tensor(fmt::format("found {} in shape, expected sizes", found));
      case Place::kOffsets:
        fail_tensor(fmt::format("found {} in data_offsets, expected positions", found));
      case Place::kTensor:
        break;
    }
    constexpr const char* kExpectations[] = {"dtype, expected its name", "shape, expected an array", "data_offsets, expected an array"};
    fail_tensor(fmt::format("found {} for {}", found, kExpectations[static_cast<size_t>(field_)]));
  }

  Place place_ = Place::kStart;
  Field field_ = Field::kOther;
  int skipped_levels_ = 0;
  bool has_metadata_ = false;
  unsigned seen_fields_ = 0;
  TensorEntry tensor_;  // the one being read
  std::vector<uint64_t> offsets_;
  std::vector<TensorEntry> tensors_;
};

uint64_t read_header_length(const Reader& file) {
  unsigned char bytes[kLengthBytes];
  if (file.size() < kLengthBytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes, expected at least the 8 of a header length", file.name(), file.size()),
                kIncompleteHint);
  }
  file.read_at(0, std::as_writable_bytes(std::span(bytes)));
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | bytes[i];
  if (length > std::min(kMaxSafetensorsHeaderBytes, file.size() - kLengthBytes)) {
    const bool is_lfs_pointer = std::string_view(reinterpret_cast<const char*>(bytes), kLengthBytes) == "version ";
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: header length {} at offset 0, expected at most {} in a file of {} bytes", file.name(), length,
                            std::min(kMaxSafetensorsHeaderBytes, file.size() - kLengthBytes), file.size()),
                is_lfs_pointer ? "the file is a Git LFS pointer; fetch the content with: git lfs pull" : kIncompleteHint);
  }
  return length;
}

void check_unique_names(const std::vector<TensorEntry>& tensors, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorEntry& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: tensor {}: is there twice, expected once", file, *twice), kDamagedHint);
}

// Requires: sorted by offset, which counts from the beginning of the data still.
void check_extents(const std::vector<TensorEntry>& tensors, const Reader& file, uint64_t data_begin) {
  uint64_t end = 0;
  const uint64_t data_bytes = file.size() - data_begin;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.offset_bytes != end) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}: tensor {}: begins at data offset {}, expected {}, where the one before it ends ({})", file.name(),
                              tensor.name, tensor.offset_bytes, end, tensor.offset_bytes < end ? "they overlap" : "there is a hole"),
                  kDamagedHint);
    }
    end += tensor.size_bytes;
    if (end > data_bytes) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}: tensor {}: ends at data offset {}, expected at most {}, where the file ends", file.name(), tensor.name,
                              end, data_bytes),
                  kIncompleteHint);
    }
  }
  if (end == data_bytes) return;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: {} bytes, expected {}, where the last tensor ends", file.name(), file.size(), data_begin + end),
              kDamagedHint);
}

}  // namespace

std::vector<TensorEntry> parse_safetensors_header(const Reader& file) {
  const uint64_t length = read_header_length(file);
  HeaderEvents events(file.name());
  {
    std::string text(length, '\0');
    file.read_at(kLengthBytes, std::as_writable_bytes(std::span(text)));
    parse_json_events(text, events);
  }
  std::vector<TensorEntry> tensors = events.take();
  check_unique_names(tensors, file.name());
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.offset_bytes, a.size_bytes) < std::tie(b.offset_bytes, b.size_bytes);
  });
  check_extents(tensors, file, kLengthBytes + length);
  for (TensorEntry& tensor : tensors) tensor.offset_bytes += kLengthBytes + length;
  return tensors;
}

}  // namespace hf2mlx

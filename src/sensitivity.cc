// See sensitivity.h.
#include "sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/json.h"
#include "base/system_error.h"
#include "hf2mlx/error.h"
#include "io/digest.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

constexpr const char* kFormat = "hf2mlx sensitivity 1";
constexpr uint64_t kSampleBytes = 4096;

void add(Digest& digest, const std::string& text) { digest.update(std::as_bytes(std::span(text))); }

// Up to `bytes` at `offset`.
void add_sample(Digest& digest, const Reader& file, uint64_t offset, uint64_t bytes) {
  std::vector<std::byte> sample(std::min(bytes, kSampleBytes));
  file.read_at(offset, sample);
  digest.update(sample);
}

void add_file(Digest& digest, const std::filesystem::path& path) {
  const std::unique_ptr<Reader> file = open_reader(path);
  for (uint64_t at = 0; at < file->size(); at += kSampleBytes) add_sample(digest, *file, at, file->size() - at);
}

double checked_error(const Json& error, const std::filesystem::path& path, const std::string& layer) {
  if (error.is_number() && std::isfinite(error.get<double>()) && error.get<double>() >= 0) return error.get<double>();
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}: {} found, an error expected", path.string(), layer, error.dump()),
              "remove the file, and it is measured anew");
}

}  // namespace

std::string spec_of(const Encoding& e) { return fmt::format("{}:{}:{}", e.bits, e.group_size, name_of(e.mode)); }

std::string measured_source(const Checkpoint& checkpoint, const QuantOptions& quant) {
  Digest digest(Hash::kSha256);
  for (const StoredTensor& t : checkpoint.tensors) {
    add(digest, fmt::format("{} {} {}\n", t.name, name_of(t.dtype), to_string(t.shape)));
    add_sample(digest, *t.file, t.offset_bytes, t.size_bytes);
    const uint64_t middle = t.size_bytes / 2;
    add_sample(digest, *t.file, t.offset_bytes + middle, t.size_bytes - middle);
  }
  add(digest, fmt::format("fit={} dtype={} requantize={}\n", quant.fit, quant.dtype, quant.requantize));
  if (!quant.imatrix.empty()) add_file(digest, quant.imatrix);
  return digest.finish();
}

std::optional<Sensitivity> read_sensitivity(const std::filesystem::path& path, const std::string& source) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json file = read_json_file(path);
  if (!file.is_object() || file.value("format", Json()) != kFormat) {
    throw Error(ErrorCode::kUsage, path.string() + ": found, but it is no file of --sensitivity, and is not overwritten",
                "name another file, or one that does not exist yet");
  }
  if (file.value("source", Json()) != source) return std::nullopt;
  Sensitivity out{source, {}};
  const Json layers = file.value("layers", Json::object());
  for (const auto& [layer, errors] : layers.items()) {
    for (const auto& [spec, error] : errors.items()) out.layers[layer][spec] = checked_error(error, path, layer);
  }
  return out;
}

void write_sensitivity(const std::filesystem::path& path, const Sensitivity& sensitivity) {
  const Json file = {{"format", kFormat}, {"source", sensitivity.source}, {"layers", sensitivity.layers}};
  std::filesystem::path part = path;
  part += ".part";
  std::error_code error;
  std::filesystem::remove(part, error);
  write_file(part, dump_json(file));
  std::filesystem::rename(part, path, error);
  throw_if(error, path.string() + ": rename");
}

}  // namespace hf2mlx

// See model_reader.h.
#include "cli/model_reader.h"

#include "cli/model_list.h"

namespace hf2mlx::cli {

ModelReader::ModelReader(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {
  thread_ = std::thread([this] { read(); });
}

ModelReader::~ModelReader() {
  stop_ = true;
  wait();
}

void ModelReader::read() {
  for (size_t i = 0; i < folders_.size() && !stop_; ++i) {
    Inspection inspection = inspect_or_explain(folders_[i]);
    const std::lock_guard lock(mutex_);
    read_.emplace_back(i, std::move(inspection));
  }
}

std::vector<std::pair<size_t, Inspection>> ModelReader::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(read_, {});
}

void ModelReader::wait() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace hf2mlx::cli

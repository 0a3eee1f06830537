// Reads the headers of many models in the background.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "hf2mlx/report.h"

namespace hf2mlx::cli {

class ModelReader {
 public:
  // Begins at once, in this order.
  explicit ModelReader(std::vector<std::filesystem::path> folders);
  ~ModelReader();  // waits for the model that is being read
  ModelReader(const ModelReader&) = delete;
  ModelReader& operator=(const ModelReader&) = delete;

  // What has been read since the last call, each with its place among the folders.
  std::vector<std::pair<size_t, Inspection>> take();
  void wait();  // until all is read

 private:
  void read();

  const std::vector<std::filesystem::path> folders_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // guards read_
  std::vector<std::pair<size_t, Inspection>> read_;
  std::thread thread_;
};

}  // namespace hf2mlx::cli

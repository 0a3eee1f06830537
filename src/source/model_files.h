// The files of a model, wherever they are: what opening a checkpoint asks of a folder on disk or of a repository on the hub.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// Not thread-safe. Names are relative, with '/'.
class ModelFiles {
 public:
  virtual ~ModelFiles() = default;
  // For messages: a folder, or org/name.
  virtual const std::filesystem::path& place() const = 0;
  // Names of files and of links at the top, broken ones included; sorted.
  virtual std::vector<std::string> top_level_names() const = 0;
  // False for a file that is not there and for a link that leads nowhere; a link that leads back to itself is an Error.
  virtual bool has(const std::string& name) const = 0;
  // Error{kCorrupt} when it is larger than `max_bytes`.
  virtual std::string read_text(const std::string& name, uint64_t max_bytes) const = 0;
  // All weight files in one call, so that a far place can be asked for all of them at once.
  virtual std::vector<std::shared_ptr<const Reader>> open(const std::vector<std::string>& names) const = 0;
  // See side_files.h.
  virtual std::vector<SideFile> side_files(std::vector<std::string>& notes) const = 0;
};

// A folder on disk.
class FolderFiles final : public ModelFiles {
 public:
  explicit FolderFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& place() const override { return folder_; }
  std::vector<std::string> top_level_names() const override;
  bool has(const std::string& name) const override;
  std::string read_text(const std::string& name, uint64_t max_bytes) const override;
  std::vector<std::shared_ptr<const Reader>> open(const std::vector<std::string>& names) const override;
  std::vector<SideFile> side_files(std::vector<std::string>& notes) const override;

 private:
  std::filesystem::path folder_;
};

}  // namespace hf2mlx

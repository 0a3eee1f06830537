// A model as the hub has it: its lists and headers are read, its weights stay there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hub/downloader.h"
#include "hub/hub_link.h"
#include "hub/remote_file.h"
#include "source/locate.h"
#include "source/model_files.h"

namespace hf2mlx {

// Not thread-safe; its files are.
class RemoteModel final : public ModelFiles {
 public:
  // Asks for the commit and the list of its files. Error as for a download. `cancel` may be null.
  RemoteModel(const SourceOptions& source, const RepoName& repo, ConnectionFactory connect, const CancelToken* cancel);

  Location location() const;
  const std::filesystem::path& place() const override { return place_; }
  std::vector<std::string> top_level_names() const override;
  bool has(const std::string& name) const override;
  // Checked against the hub's list.
  std::string read_text(const std::string& name, uint64_t max_bytes) const override;
  // With the headers of all of them at hand. They live as long as this does.
  std::vector<std::shared_ptr<const Reader>> open(const std::vector<std::string>& names) const override;
  // Without `source`: they are not here.
  std::vector<SideFile> side_files(std::vector<std::string>& notes) const override;

  // Brings the side files into a folder, checked; what is there and right is not asked for again.
  void fetch_side_files(const std::filesystem::path& folder, Progress* progress);

  HubLink& link() { return link_; }
  const std::string& commit() const { return commit_; }
  const std::vector<std::shared_ptr<RemoteFile>>& weights() const { return weights_; }
  uint64_t received_bytes() const { return link_.received_bytes(); }

 private:
  const TreeEntry* find(const std::string& path) const;
  uint64_t expected_header_bytes(size_t files) const;
  void check_selection() const;

  const Wanted wanted_;
  const std::filesystem::path place_;
  mutable HubLink link_;
  std::string commit_;
  Tree tree_;
  mutable std::vector<std::shared_ptr<RemoteFile>> weights_;
};

// The model at the hub, or null where it is to be opened from the disk: a folder, what is in the cache, and where nothing may be asked for.
std::unique_ptr<RemoteModel> find_remote_model(const SourceOptions& source, const ConnectionFactory& connect, const CancelToken* cancel);
// The same by libcurl.
std::unique_ptr<RemoteModel> find_remote_model(const SourceOptions& source, const CancelToken* cancel);

}  // namespace hf2mlx

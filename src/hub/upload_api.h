// What the hub is asked to do with a repository: the calls of its API that huggingface_hub makes for an upload, and those of Git's
// large-file storage (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "hub/hub_error.h"
#include "hub/retry.h"
#include "hub/session.h"

namespace hf2mlx {

// Where the content of a large file is to go.
struct LargeFileTarget {
  bool is_there = false;           // the hub has it already
  std::string url;                 // for all of it; for its parts: where to say that they are there
  uint64_t part_bytes = 0;         // 0: all at once
  std::vector<std::string> parts;  // addresses, in order
  std::string verify_url;          // where to say that all is there; may be empty
};

enum class Storage { kSmall, kLarge };

struct PathSample {
  std::string path;
  uint64_t size_bytes = 0;
  std::string beginning;  // of the content, at most 512 bytes
};

// Not thread-safe. Throws Error: what the hub refuses, and kCorrupt for answers that make no sense.
class UploadApi {
 public:
  UploadApi(Session& session, Wanted repo, Sleep sleep) : session_(session), repo_(std::move(repo)), sleep_(std::move(sleep)) {}

  // Makes the repository where there is none. Returns why it may not be made: who may not make one may still write to one that is there.
  std::optional<Error> create();
  // How each file is to be kept. The hub knows by .gitattributes, size and the beginning of the content.
  std::vector<Storage> storage_of(const std::vector<PathSample>& files);
  LargeFileTarget target_of(const std::string& sha256, uint64_t size_bytes);
  // Sends a content or a part of it to the storage and returns the ETag that the storage gives it.
  std::string put(const std::string& url, const Reader& content);
  // Says that all parts of a large file are there, by their ETags.
  void complete(const LargeFileTarget& target, const std::string& sha256, const std::vector<std::string>& etags);
  void verify(const LargeFileTarget& target, const std::string& sha256, uint64_t size_bytes);
  // Each operation is one line of JSON. Returns the new commit.
  std::string commit(const std::string& message, const std::vector<Json>& operations);

 private:
  Json post(const std::string& url, const Json& content);
  // An answer with the status `other_status` is as good as a success.
  HubAnswer send(const HubSending& sending, HubBody& body, int other_status = 0);
  std::string repo_address() const;

  Session& session_;
  const Wanted repo_;
  const Sleep sleep_;
};

}  // namespace hf2mlx

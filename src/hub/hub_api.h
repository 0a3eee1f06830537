// What the hub says about a repository.
#pragma once

#include <string>

#include "hub/hub_error.h"
#include "hub/retry.h"
#include "hub/session.h"
#include "hub/tree.h"

namespace hf2mlx {

// Not thread-safe. Throws the Error of hub_error() for what the hub refuses.
class HubApi {
 public:
  HubApi(Session& session, Sleep sleep) : session_(session), sleep_(std::move(sleep)) {}

  std::string commit_of(const Wanted& wanted);
  // All files of a commit, however many pages they take.
  Tree tree_of(const Wanted& wanted, const std::string& commit);
  // A small file at a commit.
  std::string text_of(const Wanted& wanted, const std::string& commit);

 private:
  struct Page {
    std::string text;
    std::string next;  // address of the next page, or empty
  };
  Page get(const std::string& url, const Wanted& wanted);

  Session& session_;
  Sleep sleep_;
};

}  // namespace hf2mlx

// What a failed request means, and what to do about it.
#pragma once

#include <string>

#include "hf2mlx/error.h"
#include "hub/session.h"

namespace hf2mlx {

enum class Access { kRead, kWrite };

// What was asked for.
struct Wanted {
  std::string repo_id;
  std::string revision;
  std::string path = {};  // empty: the repository itself
  Access access = Access::kRead;
};

Error hub_error(const HubOptions& options, const Wanted& wanted, const HubAnswer& answer);

// Seconds that the hub asks to wait before the next request, or 0.
unsigned asked_wait_seconds(const HttpResponse& response);

// Whether another attempt may succeed.
bool is_transient(const HubAnswer& answer);

}  // namespace hf2mlx

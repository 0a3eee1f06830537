// A call of the library that takes its time: progress on stderr, notes as they come, and signals that end it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "hf2mlx/progress.h"

namespace hf2mlx::cli {

// Shows each note once, though the library may tell it during a call and again in its report.
class Notes {
 public:
  void show(const Context& context, const std::vector<std::string>& notes);

 private:
  std::vector<std::string> shown_;
};

void watched_call(const Context& context, Quiet quiet, Notes& notes, const std::function<void(Progress&, const CancelToken&)>& call);

}  // namespace hf2mlx::cli

// The environment of the running process, on POSIX systems. See environment.h.
#include <pwd.h>
#include <unistd.h>

#include <string_view>

#include "cli/environment.h"

extern char** environ;

namespace hf2mlx::cli {
namespace {

Variables process_variables() {
  Variables variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

// Read before any thread is started, so the static result of getpw* is safe.
std::optional<std::string> home_of_user(const std::string& user) {
  const passwd* entry = user.empty() ? getpwuid(getuid()) : getpwnam(user.c_str());
  if (!entry || !entry->pw_dir) return std::nullopt;
  return entry->pw_dir;
}

}  // namespace

Environment process_environment() { return read_environment(process_variables(), home_of_user); }

}  // namespace hf2mlx::cli

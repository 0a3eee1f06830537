// From an errno value to an Error.
#include "base/system_error.h"

#include <cerrno>

namespace hf2mlx {
namespace {

ErrorCode code_for(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

const char* hint_for(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "check who owns it and its permissions";
    case EROFS:
      return "the file system is read-only; choose another place";
    case ENOSPC:
      return "free some space or choose another disk";
    case EDQUOT:
      return "the quota is used up; free some space or choose another disk";
    case EMFILE:
    case ENFILE:
      return "too many files are open; raise the limit with ulimit -n";
    case ELOOP:
      return "a symbolic link leads back to itself";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case EIO:
      return "the disk or the network file system may be failing";
    default:
      return "";
  }
}

}  // namespace

Error system_error(int error, const std::string& what, std::string hint) {
  if (hint.empty()) hint = hint_for(error);
  return Error(code_for(error), what + ": " + std::generic_category().message(error), std::move(hint));
}

void throw_if(const std::error_code& error, const std::string& what) {
  if (error) throw system_error(error.value(), what);
}

}  // namespace hf2mlx

/// \file The one exception type of the library, and the codes the program exits with.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "hf2mlx/export.h"

namespace hf2mlx {

/// Each value is also the exit status of the program (see the table in the manual page).
enum class ErrorCode {
  kUsage = 2,        ///< contradictory or unknown options
  kNotFound = 3,     ///< no such folder, repository, revision or file
  kUnsupported = 4,  ///< architecture, dtype or source quantization that we do not handle
  kCorrupt = 5,      ///< header, index, hash or size disagree
  kIo = 6,           ///< a system call failed
  kNoSpace = 7,      ///< the disk is full, or would be
  kNetwork = 8,      ///< the hub cannot be reached
  kAuth = 9,         ///< the hub refuses
  kInternal = 70,    ///< our bug
  kCancelled = 130,  ///< interrupted
};

/// what() is "where: what was found, what was expected". hint() says what to do, or is empty. As thread-safe as a const std::string.
class HF2MLX_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }
  int exit_status() const noexcept { return static_cast<int>(code_); }

 private:
  ErrorCode code_;
  std::string hint_;
};

/// The stable name of a code, as `--json` prints it ("not_found", "corrupt", ...). Valid forever, thread-safe.
HF2MLX_API std::string_view name_of(ErrorCode code) noexcept;

}  // namespace hf2mlx

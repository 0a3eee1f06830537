// See transfer.h.
#include "hub/transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/system_error.h"
#include "io/file_lock_posix.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kOthersPause{20};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  throw_if(error, folder.string() + ": folder cannot be made");
}

}  // namespace

void Transfer::run(Session& session) {
  const FileLock lock(place_.lock_of(entry_), [this] { events_.sleep(kLockPause); });
  // Another process may have brought it while this one waited.
  const bool is_there = place_.look(entry_) == Presence::kThere || place_.adopt(entry_);
  if (is_there) return events_.advanced(static_cast<int64_t>(entry_.size_bytes));
  download(session);
}

void Transfer::download(Session& session) {
  const fs::path path = place_.partial_of(entry_);
  make_folder(path.parent_path());
  file_.emplace(path, entry_);
  events_.advanced(static_cast<int64_t>(file_->arrived_bytes()));
  fetch_all(session);
  const fs::path aside = path.string() + ".wrong";
  if (!file_->is_right()) {
    events_.noted(fmt::format("{}: the checksum is wrong; it is downloaded once more", entry_.path));
    events_.advanced(-static_cast<int64_t>(entry_.size_bytes));
    file_->set_aside(aside);
    fetch_all(session);
    if (!file_->is_right()) {
      file_->set_aside(aside);
      fs::remove(path);
      throw wrong_content(aside);
    }
  }
  std::error_code ignored;
  fs::remove(aside, ignored);  // of this run or an earlier one
  file_->finish();
  place_.keep(entry_, path);
}

void Transfer::fetch_all(Session& session) {
  while (!file_->is_whole()) {
    if (!fetch_parts(session)) events_.sleep(kOthersPause);
  }
}

bool Transfer::fetch_parts(Session& session) {
  bool has_any = false;
  for (ByteRange part = claim_part(); !part.is_empty(); part = claim_part()) {
    PartFetch(session, source_, *file_, events_, part).run();
    has_any = true;
  }
  return has_any;
}

ByteRange Transfer::claim_part() {
  const bool is_alone = source_.parts() == HubFile::Parts::kNotSent;
  if (is_alone && file_->has_claims()) return {};
  const uint64_t missing_bytes = entry_.size_bytes - file_->arrived_bytes();
  return file_->claim(std::clamp(missing_bytes / (2 * kMostConnections), kLeastPartBytes, kMostPartBytes));
}

bool Transfer::help(Session& session) { return source_.parts() == HubFile::Parts::kSent && fetch_parts(session); }

Error Transfer::wrong_content(const fs::path& aside) const {
  return Error(ErrorCode::kCorrupt,
               fmt::format("{}: {}: the checksum is wrong, twice: expected {}", source_.wanted().repo_id, entry_.path, entry_.etag()),
               fmt::format("what arrived is kept as {}; check the proxy, or try again later", aside.string()));
}

}  // namespace hf2mlx

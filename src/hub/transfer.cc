// See transfer.h.
#include "hub/transfer.h"

#include <fmt/format.h>

#include <charconv>

#include "base/system_error.h"
#include "hub/url.h"
#include "io/file_lock_posix.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLockPause{100};

// "W/"x"" and ""x"" are x.
std::string plain_etag(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  return etag;
}

// Of "bytes 5-9/10"; nothing when it is not of this form.
std::optional<uint64_t> first_byte(const std::string& content_range) {
  constexpr std::string_view kUnit = "bytes ";
  if (!content_range.starts_with(kUnit)) return std::nullopt;
  uint64_t first = 0;
  const char* begin = content_range.data() + kUnit.size();
  const auto [end, error] = std::from_chars(begin, content_range.data() + content_range.size(), first);
  if (error != std::errc() || *end != '-') return std::nullopt;
  return first;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  throw_if(error, folder.string() + ": folder cannot be made");
}

}  // namespace

std::string resolve_address(const HubOptions& options, const std::string& repo_id, const std::string& commit, const std::string& path) {
  return fmt::format("{}/{}/resolve/{}/{}", options.endpoint, repo_id, commit, percent_encode(path, "/"));
}

Transfer::Transfer(Session& session, Place& place, const Wanted& wanted, const std::string& commit, const TreeEntry& entry,
                   const TransferEvents& events)
    : session_(session),
      place_(place),
      wanted_{wanted.repo_id, wanted.revision, entry.path},
      commit_(commit),
      entry_(entry),
      events_(events),
      url_(resolve_address(session.options(), wanted.repo_id, commit, entry.path)) {}

void Transfer::run() {
  const FileLock lock(place_.lock_of(entry_), [this] { events_.sleep(kLockPause); });
  // Another process may have brought it while this one waited.
  const bool is_there = place_.look(entry_) == Presence::kThere || place_.adopt(entry_);
  if (is_there) return events_.advanced(static_cast<int64_t>(entry_.size_bytes));
  download();
}

void Transfer::download() {
  const fs::path path = place_.partial_of(entry_);
  make_folder(path.parent_path());
  file_.emplace(path, entry_);
  events_.advanced(static_cast<int64_t>(file_->size_bytes()));
  fetch();
  const fs::path aside = path.string() + ".wrong";
  if (!file_->is_right()) {
    events_.noted(fmt::format("{}: the checksum is wrong; it is downloaded once more", entry_.path));
    events_.advanced(-static_cast<int64_t>(file_->size_bytes()));
    file_->set_aside(aside);
    fetch();
    if (!file_->is_right()) {
      file_->set_aside(aside);
      fs::remove(path);
      throw wrong_content(aside);
    }
  }
  std::error_code ignored;
  fs::remove(aside, ignored);  // of this run or an earlier one
  // Whoever sees the name may rely on the content, also after a power cut.
  file_->sync();
  place_.keep(entry_, path);
}

void Transfer::fetch() {
  Retry retry(events_.sleep);
  while (!file_->is_whole()) {
    has_received_ = false;
    const HubAnswer answer = session_.get({url_, file_->size_bytes(), 0, entry_.etag()}, *this);
    if (file_->is_whole()) return;
    if (has_received_) retry.made_progress();
    fail_if_final(answer, retry);
  }
}

void Transfer::fail_if_final(HubAnswer answer, Retry& retry) const {
  if (answer.last.is_success() && answer.last.failure == Failure::kNone) {
    answer.last.failure = Failure::kTransient;
    answer.last.why = fmt::format("it ended at byte {} of {}", file_->size_bytes(), entry_.size_bytes);
  }
  if (!retry.again(answer)) throw hub_error(session_.options(), wanted_, answer);
}

// The tree of a commit never changes: a hub that says otherwise is none, or lies.
void Transfer::check_same_file(const HttpResponse& hub) const {
  const std::string commit = hub.header("x-repo-commit");
  const std::string linked = hub.header("x-linked-etag");
  const std::string etag = plain_etag(linked.empty() ? hub.header("etag") : linked);
  if ((commit.empty() || commit == commit_) && (etag.empty() || etag == entry_.etag())) return;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: {}: the hub has commit {}, content {}; its list of files says commit {}, content {}", wanted_.repo_id,
                          entry_.path, commit, etag, commit_, entry_.etag()),
              "try again later, or check HF_ENDPOINT and the proxy");
}

void Transfer::check_range(const HttpResponse& response) const {
  const std::string range = response.header("content-range");
  if (first_byte(range) == file_->size_bytes()) return;
  throw Error(ErrorCode::kNetwork, fmt::format("{}: {}: found the range '{}', expected one from byte {}", wanted_.repo_id, entry_.path,
                                               range, file_->size_bytes()));
}

void Transfer::begin(const HubAnswer& answer) {
  constexpr int kPartialContent = 206;
  check_same_file(answer.hub);
  if (answer.last.status == kPartialContent) {
    check_range(answer.last);
  } else if (file_->size_bytes() > 0) {
    start_over();
  }
}

void Transfer::append(std::span<const std::byte> data) {
  if (data.empty()) return;
  file_->append(data);
  has_received_ = true;
  events_.received(data.size());
  events_.advanced(static_cast<int64_t>(data.size()));
}

// The server knows no ranges, or has another content by now.
void Transfer::start_over() {
  events_.advanced(-static_cast<int64_t>(file_->size_bytes()));
  file_->restart();
}

Error Transfer::wrong_content(const fs::path& aside) const {
  return Error(ErrorCode::kCorrupt,
               fmt::format("{}: {}: the checksum is wrong, twice: expected {}", wanted_.repo_id, entry_.path, entry_.etag()),
               fmt::format("what arrived is kept as {}; check the proxy, or try again later", aside.string()));
}

}  // namespace hf2mlx

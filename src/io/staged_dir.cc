// A folder that appears complete or not at all.
#include "io/staged_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "base/system_error.h"
#include "base/text_file.h"
#include "io/exchange_posix.h"
#include "io/file_posix.h"
#include "io/target_path.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

// A name says which target a folder belongs to, so that nothing else is ever taken for a left-over.
std::string name_prefix(const fs::path& target) { return fmt::format(".{}.hf2mlx-partial-", target.filename().string()); }

constexpr std::string_view kAsideSuffix = "-old";
constexpr int kMaxAttempts = 1000;
constexpr const char* kWorkFolder = ".hf2mlx-work";
constexpr const char* kPurposeFile = "purpose";
constexpr uint64_t kMaxPurposeBytes = 1 << 16;

fs::path aside_of(const fs::path& folder) { return folder.string() + std::string(kAsideSuffix); }

// "<digits>-<digits>", with or without the suffix.
bool is_partial_suffix(std::string_view text) {
  if (text.ends_with(kAsideSuffix)) text.remove_suffix(kAsideSuffix.size());
  const size_t dash = text.find('-');
  if (dash == 0 || dash == text.npos || dash + 1 == text.size()) return false;
  return text.substr(0, dash).find_first_not_of("0123456789") == text.npos &&
         text.substr(dash + 1).find_first_not_of("0123456789") == text.npos;
}

enum class Lock { kTaken, kOurs, kImpossible, kNoFolder };

// The kernel releases the lock when the process ends, however it ends.
Lock lock_folder(const fs::path& folder, Fd& fd) {
  fd = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open()) return Lock::kNoFolder;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return Lock::kOurs;
  return errno == EWOULDBLOCK ? Lock::kTaken : Lock::kImpossible;
}

bool is_same_file(const Fd& fd, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  if (::fstat(fd.get(), &opened) != 0 || ::lstat(path.c_str(), &named) != 0) return false;
  return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool name_exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

// Empty for a folder that has none.
std::string purpose_of(const fs::path& folder) {
  const fs::path file = folder / kWorkFolder / kPurposeFile;
  std::error_code error;
  return fs::is_regular_file(file, error) ? read_text_file(file, kMaxPurposeBytes) : std::string();
}

// What cannot be removed or locked (network file systems without locks) stays: better a left-over than another run's work.
void remove_left_over(const fs::path& folder, const fs::path& target) {
  Fd fd;
  if (lock_folder(folder, fd) != Lock::kOurs) return;
  std::error_code ignored;
  if (folder.string().ends_with(kAsideSuffix) && !name_exists(target)) {
    fs::rename(folder, target, ignored);
  } else {
    fs::remove_all(folder, ignored);
  }
}

std::vector<fs::path> left_overs_of(const fs::path& target) {
  std::error_code error;
  const std::string prefix = name_prefix(target);
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(target.parent_path(), error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && is_partial_suffix(std::string_view(name).substr(prefix.size()))) found.push_back(entry->path());
  }
  return found;
}

enum class Purposeful { kStay, kGo };

void remove_left_overs(const fs::path& target, Purposeful purposeful) {
  for (const fs::path& folder : left_overs_of(target)) {
    if (purposeful == Purposeful::kGo || purpose_of(folder).empty()) remove_left_over(folder, target);
  }
}

// While this exists, no other run looks for left-overs in `parent` or begins a folder there.
class BeginLock {
 public:
  explicit BeginLock(const fs::path& parent) {
    // Where a script holds the lock around the whole run, waiting longer would not help.
    for (int i = 0; lock_folder(parent, fd_) == Lock::kTaken && i < kMaxPauses; ++i) std::this_thread::sleep_for(kPause);
  }

 private:
  static constexpr std::chrono::milliseconds kPause{10};
  static constexpr int kMaxPauses = 50;
  Fd fd_;
};

// Two runs at once for one target would do the work twice for one result. Under a BeginLock.
void check_alone(const fs::path& target) {
  for (const fs::path& folder : left_overs_of(target)) {
    Fd fd;
    if (lock_folder(folder, fd) != Lock::kTaken) continue;
    throw Error(ErrorCode::kUsage, fmt::format("{}: another conversion is writing it, in {}", target.string(), folder.string()),
                "wait until that has ended, or choose another output folder");
  }
}

void check_writable(const fs::path& target) {
  fs::path parent = target.parent_path();
  while (!name_exists(parent)) parent = parent.parent_path();
  if (::faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    throw system_error(errno, parent.string() + ": cannot be written to");
}

bool holds_current_folder(const fs::path& folder) {
  std::error_code error;
  for (fs::path current = fs::current_path(error); !error && current.has_relative_path(); current = current.parent_path()) {
    if (fs::equivalent(current, folder, error)) return true;
    error.clear();
  }
  return false;
}

void check_existing(const fs::path& target, Existing existing) {
  if (!name_exists(target)) return;
  if (existing == Existing::kRefuse) {
    throw Error(ErrorCode::kUsage, target.string() + ": already exists", "choose another output folder, or --force to replace it");
  }
  resolve_target(target);
  if (holds_current_folder(target)) {
    throw Error(ErrorCode::kUsage, target.string() + ": would be replaced, but the current folder lies in it",
                "change to another folder or choose another output folder");
  }
}

}  // namespace

void check_target(const fs::path& target, Existing existing) {
  const fs::path resolved = resolve_target(target);
  check_existing(resolved, existing);
  check_writable(resolved);
  const BeginLock lock(resolved.parent_path());
  check_alone(resolved);
}

StagedDir::StagedDir(const fs::path& target, Existing existing, const std::string& purpose)
    : existing_(existing), target_(resolve_target(target)) {
  try {
    make_parents();
    const BeginLock lock(target_.parent_path());
    check_alone(target_);
    is_continued_ = !purpose.empty() && take_left_over(purpose);
    remove_left_overs(target_, purpose.empty() ? Purposeful::kStay : Purposeful::kGo);
    keeps_ = is_continued_;
    check_existing(target_, existing_);
    if (!is_continued_) begin(purpose);
  } catch (...) {
    discard();
    throw;
  }
}

void StagedDir::begin(const std::string& purpose) {
  make_folder();
  if (purpose.empty()) return;
  fs::create_directory(work_folder());
  write_file(work_folder() / kPurposeFile, purpose);
}

StagedDir::~StagedDir() { discard(); }

void StagedDir::discard() {
  std::error_code ignored;
  if (!path_.empty() && !keeps_) fs::remove_all(path_, ignored);
  // Fails, as it should, for a folder that has content by now.
  for (auto parent = made_parents_.rbegin(); parent != made_parents_.rend(); ++parent) ::rmdir(parent->c_str());
}

void StagedDir::make_parents() {
  std::vector<fs::path> missing;
  for (fs::path parent = target_.parent_path(); !name_exists(parent); parent = parent.parent_path()) missing.push_back(parent);
  for (auto parent = missing.rbegin(); parent != missing.rend(); ++parent) {
    if (::mkdir(parent->c_str(), 0777) == 0) {
      made_parents_.push_back(*parent);
    } else if (errno != EEXIST) {
      throw system_error(errno, parent->string() + ": cannot be created");
    }
  }
}

fs::path StagedDir::work_folder() const { return path_ / kWorkFolder; }

bool StagedDir::take_left_over(const std::string& purpose) {
  for (const fs::path& folder : left_overs_of(target_)) {
    Fd fd;
    const bool is_ours = purpose_of(folder) == purpose && lock_folder(folder, fd) == Lock::kOurs && is_same_file(fd, folder);
    if (!is_ours) continue;
    path_ = folder;
    lock_ = std::move(fd);
    return true;
  }
  return false;
}

void StagedDir::make_folder() {
  const std::string prefix = name_prefix(target_) + std::to_string(::getpid());
  for (int i = 0; i < kMaxAttempts; ++i) {
    path_ = target_.parent_path() / fmt::format("{}-{}", prefix, i);
    if (try_folder()) return;
  }
  path_.clear();
  throw Error(ErrorCode::kIo, fmt::format("{}: no free name beside it, expected to create {}-0", target_.string(), prefix));
}

// False when the name is taken, or when a run that looks for left-overs came between creating and locking.
bool StagedDir::try_folder() {
  if (::mkdir(path_.c_str(), 0777) != 0) {
    const int error = errno;
    const fs::path path = std::exchange(path_, {});
    if (error == EEXIST) return false;
    throw system_error(error, path.string() + ": cannot be created");
  }
  const Lock lock = lock_folder(path_, lock_);
  return lock == Lock::kImpossible || (lock == Lock::kOurs && is_same_file(lock_, path_));
}

void StagedDir::check_still_free() const {
  try {
    check_existing(target_, existing_);
  } catch (const Error& error) {
    if (!keeps_) throw;
    throw Error(error.code(), error.what(), fmt::format("{}; what is finished stays in {}", error.hint(), path_.string()));
  }
}

void StagedDir::commit(Durability durability) {
  check_still_free();
  std::error_code ignored;
  fs::remove_all(work_folder(), ignored);
  const bool waits = durability == Durability::kBeforeName || name_exists(target_);
  if (waits) sync_tree(path_);
  check_existing(target_, existing_);
  if (!name_exists(target_)) {
    rename_folder(path_, target_);
  } else if (!exchange_folders(path_, target_)) {
    Fd old;
    lock_folder(target_, old);
    exchange_by_renaming(path_, target_, aside_of(path_));
  }
  // From here on the name may belong to another StagedDir.
  const fs::path old = std::exchange(path_, {});
  // On ext4 this writes out the files' data, too.
  if (waits) sync_folder(target_.parent_path());
  // A folder that cannot be deleted does not make the new one wrong; the next run tries again.
  fs::remove_all(old, ignored);
  const BeginLock lock(target_.parent_path());
  remove_left_overs(target_, Purposeful::kGo);
}

}  // namespace hf2mlx

// See weight_stream.h.
#include "hub/weight_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "hf2mlx/error.h"
#include "hub/transfer.h"

namespace hf2mlx {
namespace {

using State = StreamWindow::State;

// Windows that were not announced, in memory besides the others.
constexpr size_t kAsides = 3;
// How often a thread that waits looks whether the run is to stop.
constexpr std::chrono::milliseconds kStopPause{100};

}  // namespace

// Guarded by the stream's mutex, but that the thread which set `is_busy` alone uses the chain, the pieces and the digests.
struct WeightStream::File {
  RemoteFile* source;
  uint32_t number;
  uint64_t base_bytes;  // where its first window begins
  size_t first_window;
  size_t count;
  Sha256Chain chain;
  std::vector<Sha256State> states;                  // before each window, as far as it is hashed
  size_t hashed = 0;                                // windows from the first
  bool is_busy = false;                             // a thread hashes
  std::vector<RemoteFile::Piece> pieces;            // that were read before: they must be the same in the stream
  std::unordered_map<size_t, Sha256State> digests;  // likewise, of whole windows
};

// A window that was fetched for itself. Guarded by aside_mutex_, but for the data while it is loading.
struct WeightStream::Aside {
  size_t window = SIZE_MAX;
  bool is_loading = false;
  std::vector<std::byte> data;
};

WeightStream::WeightStream(HubLink& link, std::vector<std::shared_ptr<RemoteFile>> files, StreamLedger& ledger, StreamOptions options)
    : link_(link),
      ledger_(ledger),
      options_(std::move(options)),
      sources_(std::move(files)),
      store_(options_.window_bytes, options_.windows, options_.overflow) {
  for (const auto& file : sources_) add_file(*file);
}

WeightStream::~WeightStream() {
  link_.stop().set();
  for (std::thread& thread : threads_) thread.join();
}

// What is known of the file's beginning is hashed now; the rest of a block of 64 bytes comes once more.
void WeightStream::add_file(RemoteFile& source) {
  const std::span<const std::byte> beginning = source.beginning();
  const uint64_t base = beginning.size() / Sha256Chain::kBlockBytes * Sha256Chain::kBlockBytes;
  const uint64_t rest = source.size() - base;
  auto file = std::make_unique<File>(File{.source = &source,
                                          .number = static_cast<uint32_t>(files_.size()),
                                          .base_bytes = base,
                                          .first_window = windows_.size(),
                                          .count = (rest + options_.window_bytes - 1) / options_.window_bytes,
                                          .chain = {},
                                          .states = {},
                                          .pieces = source.pieces(),
                                          .digests = {}});
  file->pieces.push_back({base, {beginning.begin() + static_cast<std::ptrdiff_t>(base), beginning.end()}});
  file->chain.update(beginning.first(base));
  file->states = {file->chain.state()};
  for (const Sha256State& state : ledger_.known(file->number)) file->states.push_back(state);
  file->hashed = std::min(file->states.size() - 1, file->count);
  if (file->hashed > 0) file->chain = Sha256Chain(file->states[file->hashed], base + file->hashed * options_.window_bytes);
  if (file->count == 0) check_digest(*file);
  windows_.resize(windows_.size() + file->count);
  file_numbers_[&source] = files_.size();
  source.read_through(*this);
  files_.push_back(std::move(file));
}

WeightStream::File& WeightStream::file_of(size_t window) {
  const auto next = std::upper_bound(files_.begin(), files_.end(), window,
                                     [](size_t w, const std::unique_ptr<File>& file) { return w < file->first_window + file->count; });
  return **next;
}

ByteRange WeightStream::range_of(const File& file, size_t window) const {
  const uint64_t begin = file.base_bytes + (window - file.first_window) * options_.window_bytes;
  return {begin, std::min(begin + options_.window_bytes, file.source->size())};
}

bool WeightStream::is_hashed(size_t window) {
  const File& file = file_of(window);
  return window - file.first_window < file.hashed;
}

void WeightStream::refuse(const File& file) const {
  const HubFile& source = file.source->source();
  throw Error(
      ErrorCode::kCorrupt,
      fmt::format("{}: {}: the checksum is wrong: expected {}", source.wanted().repo_id, source.entry().path, source.entry().etag()),
      "nothing was written; check the proxy, or try again later");
}

void WeightStream::check_digest(const File& file) const {
  if (file.chain.finish() != file.source->entry().sha256) refuse(file);
}

void WeightStream::expect(const std::vector<FileSpan>& block) {
  uint32_t last = last_windows_.empty() ? 0 : last_windows_.back();
  for (const FileSpan& span : block) {
    const File& file = *files_[span.file];
    const uint64_t begin = std::max(span.begin_bytes, file.base_bytes);
    if (begin >= span.end_bytes) continue;
    const auto window_at = [&](uint64_t offset) {
      return static_cast<uint32_t>(file.first_window + (offset - file.base_bytes) / options_.window_bytes);
    };
    ranges_.emplace_back(window_at(begin), window_at(span.end_bytes - 1));
    for (uint32_t w = ranges_.back().first; w <= ranges_.back().second; ++w) ++windows_[w].uses;
    last = std::max(last, ranges_.back().second);
  }
  block_ranges_.push_back(ranges_.size());
  last_windows_.push_back(last);
}

void WeightStream::start() {
  const size_t count = std::min<size_t>({kMostConnections, windows_.size(), options_.windows});
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run_connection(); });
}

void WeightStream::fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  link_.stop().set();
  changed_.notify_all();
}

void WeightStream::throw_if_failed(Lock& lock) const {
  if (!error_) return;
  const std::exception_ptr error = error_;
  lock.unlock();
  std::rethrow_exception(error);
}

void WeightStream::wait(Lock& lock) {
  throw_if_failed(lock);
  link_.stop().check();
  changed_.wait_for(lock, kStopPause);
}

void WeightStream::run_connection() {
  try {
    HubLink::Lease lease(link_);
    Lock lock(mutex_);
    while (const std::optional<size_t> window = claim(lock)) {
      File& file = file_of(*window);
      std::byte* data = store_.data(windows_[*window].slot);
      lock.unlock();
      fetch_range(lease.session(), file.source->source(), link_.events(), range_of(file, *window), data);
      lock.lock();
      arrived(*window, lock);
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

// The next window that somebody needs or that is not hashed yet, with memory to put it into.
std::optional<size_t> WeightStream::claim(Lock& lock) {
  for (;;) {
    throw_if_failed(lock);
    while (next_ < windows_.size() && windows_[next_].uses == 0 && is_hashed(next_)) windows_[next_++].state = State::kGone;
    if (next_ == windows_.size()) return std::nullopt;
    if (store_.has_free()) {
      windows_[next_].slot = store_.take(next_);
      windows_[next_].state = State::kComing;
      return next_++;
    }
    if (wanted_ >= next_ + leaving_ && put_on_disk(lock)) continue;
    wait(lock);
  }
}

void WeightStream::arrived(size_t window, Lock& lock) {
  File& file = file_of(window);
  // What an earlier run has hashed.
  if (is_hashed(window)) check_against_states(file, window, {store_.data(windows_[window].slot), size_of(window)});
  windows_[window].state = State::kHere;
  hash_in_order(file, lock);
  free_if_done(window);
  changed_.notify_all();
}

void WeightStream::hash_in_order(File& file, Lock& lock) {
  if (file.is_busy) return;
  file.is_busy = true;
  while (file.hashed < file.count && windows_[file.first_window + file.hashed].state == State::kHere) {
    const size_t window = file.first_window + file.hashed;
    const std::span<const std::byte> data(store_.data(windows_[window].slot), size_of(window));
    const auto known = file.digests.find(window);
    const std::optional<Sha256State> digest = known == file.digests.end() ? std::nullopt : std::optional(known->second);
    lock.unlock();
    if (digest && sha256_of(data) != *digest) refuse(file);
    check_content(file, window, data);
    take_up(file, data);
    lock.lock();
    ++file.hashed;
    file.states.push_back(file.chain.state());
    free_if_done(window);
    changed_.notify_all();
  }
  file.is_busy = false;
}

void WeightStream::take_up(File& file, std::span<const std::byte> data) {
  file.chain.update(data);
  const bool is_last = file.hashed + 1 == file.count;
  if (is_last) check_digest(file);
  ledger_.hashed(file.number, static_cast<uint32_t>(file.hashed), is_last ? Sha256State{} : file.chain.state());
}

// Against what was read of the file before it was streamed.
void WeightStream::check_content(File& file, size_t window, std::span<const std::byte> data) {
  const ByteRange range = range_of(file, window);
  for (const RemoteFile::Piece& piece : file.pieces) {
    const uint64_t begin = std::max(range.begin_bytes, piece.offset_bytes);
    const uint64_t end = std::min(range.end_bytes, piece.offset_bytes + piece.bytes.size());
    if (begin >= end) continue;
    const auto in_piece = piece.bytes.begin() + static_cast<std::ptrdiff_t>(begin - piece.offset_bytes);
    if (!std::equal(in_piece, in_piece + static_cast<std::ptrdiff_t>(end - begin),
                    data.begin() + static_cast<std::ptrdiff_t>(begin - range.begin_bytes)))
      refuse(file);
  }
}

// A window that is hashed already, and was fetched again. The states before and after it do not change any more.
void WeightStream::check_against_states(const File& file, size_t window, std::span<const std::byte> data) const {
  const size_t i = window - file.first_window;
  Sha256Chain chain(file.states[i], file.base_bytes + i * options_.window_bytes);
  chain.update(data);
  const bool is_same = i + 1 == file.count ? chain.finish() == file.source->entry().sha256 : chain.state() == file.states[i + 1];
  if (!is_same) refuse(file);
}

void WeightStream::free_if_done(size_t window) {
  StreamWindow& w = windows_[window];
  if (w.uses > 0 || w.pins > 0) return;
  if (w.state == State::kHere && is_hashed(window)) {
    store_.give_back(w.slot);
    w.state = State::kGone;
  } else if (w.state == State::kOnDisk) {
    store_.give_back_on_disk(w.slot);
    w.state = State::kGone;
  }
}

// Makes room. The first of the windows in memory has waited longest. False when none can go just now.
bool WeightStream::put_on_disk(Lock& lock) {
  size_t chosen = SIZE_MAX;
  for (const size_t w : store_.windows()) {
    if (w < chosen && windows_[w].state == State::kHere && windows_[w].pins == 0 && is_hashed(w)) chosen = w;
  }
  if (chosen == SIZE_MAX) return false;
  StreamWindow& window = windows_[chosen];
  const uint32_t place = store_.take_on_disk();
  const std::span<const std::byte> data(store_.data(window.slot), size_of(chosen));
  window.state = State::kLeaving;
  ++leaving_;
  lock.unlock();
  store_.write(place, data);
  lock.lock();
  --leaving_;
  store_.give_back(window.slot);
  window.slot = place;
  window.state = State::kOnDisk;
  free_if_done(chosen);
  changed_.notify_all();
  return true;
}

void WeightStream::read(const RemoteFile& source, uint64_t offset, std::span<std::byte> out) {
  const File& file = *files_[file_numbers_.at(&source)];
  if (offset < file.base_bytes || offset + out.size() > source.size()) {
    throw Error(ErrorCode::kInternal, fmt::format("{}: bytes {} to {} are no weights", source.name(), offset, offset + out.size()));
  }
  while (!out.empty()) {
    const size_t window = file.first_window + (offset - file.base_bytes) / options_.window_bytes;
    const ByteRange range = range_of(file, window);
    const std::span<std::byte> part = out.first(std::min<uint64_t>(out.size(), range.end_bytes - offset));
    read_window(window, offset - range.begin_bytes, part);
    offset += part.size();
    out = out.subspan(part.size());
  }
}

void WeightStream::read_window(size_t window, uint64_t offset, std::span<std::byte> out) {
  Lock lock(mutex_);
  for (;;) {
    throw_if_failed(lock);
    switch (windows_[window].state) {
      case State::kHere:
      case State::kOnDisk:
        return read_pinned(window, offset, out, lock);
      case State::kGone:
        lock.unlock();
        return read_aside(window, offset, out);
      case State::kAhead: {
        // That blocks which may have begun were said to read: it comes before they end. Others may never be able to wait for it.
        const size_t begun = std::min(finished_blocks_ + options_.readers, last_windows_.size());
        if (threads_.empty() || begun == 0 || window > last_windows_[begun - 1]) {
          lock.unlock();
          return read_aside(window, offset, out);
        }
        wanted_ = std::max(wanted_, window);
        changed_.notify_all();
        break;
      }
      case State::kComing:
      case State::kLeaving:
        break;
    }
    wait(lock);
  }
}

void WeightStream::read_pinned(size_t window, uint64_t offset, std::span<std::byte> out, Lock& lock) {
  StreamWindow& w = windows_[window];
  ++w.pins;
  const bool is_here = w.state == State::kHere;
  const std::byte* data = is_here ? store_.data(w.slot) + offset : nullptr;
  lock.unlock();
  if (is_here)
    std::memcpy(out.data(), data, out.size());
  else
    store_.read(w.slot, offset, out);
  lock.lock();
  --w.pins;
  free_if_done(window);
  if (w.pins == 0) changed_.notify_all();
}

void WeightStream::read_aside(size_t window, uint64_t offset, std::span<std::byte> out) {
  std::unique_lock lock(aside_mutex_);
  for (;;) {
    auto at = std::find_if(asides_.begin(), asides_.end(), [&](const auto& aside) { return aside->window == window; });
    if (at == asides_.end()) {
      if (asides_.size() < kAsides) asides_.push_back(std::make_unique<Aside>());
      // The one that was not used for the longest time.
      const auto last = std::find_if(asides_.rbegin(), asides_.rend(), [](const auto& aside) { return !aside->is_loading; });
      if (last != asides_.rend()) {
        Aside& aside = **last;
        aside.window = window;
        aside.is_loading = true;
        lock.unlock();
        fetch_aside(aside, window);
        lock.lock();
        continue;
      }
    } else if (!(*at)->is_loading) {
      std::memcpy(out.data(), (*at)->data.data() + offset, out.size());
      std::rotate(asides_.begin(), at, at + 1);
      return;
    }
    aside_changed_.wait_for(lock, kStopPause);
  }
}

void WeightStream::fetch_aside(Aside& aside, size_t window) {
  const auto done = [&](size_t found) {
    const std::lock_guard lock(aside_mutex_);
    aside.window = found;
    aside.is_loading = false;
    aside_changed_.notify_all();
  };
  try {
    File& file = file_of(window);
    aside.data.resize(size_of(window));
    HubLink::Lease lease(link_);
    fetch_range(lease.session(), file.source->source(), link_.events(), range_of(file, window), aside.data.data());
    const Sha256State digest = sha256_of(aside.data);
    Lock lock(mutex_);
    if (is_hashed(window)) {
      check_against_states(file, window, aside.data);
    } else if (!file.digests.emplace(window, digest).second && file.digests[window] != digest) {
      refuse(file);
    }
    lock.unlock();
    done(window);
  } catch (...) {
    done(SIZE_MAX);
    Lock lock(mutex_);
    throw_if_failed(lock);  // what ended this one tells less
    throw;
  }
}

void WeightStream::finished(size_t place) {
  const std::lock_guard lock(mutex_);
  ++finished_blocks_;
  for (size_t i = block_ranges_[place]; i < block_ranges_[place + 1]; ++i) {
    for (uint32_t w = ranges_[i].first; w <= ranges_[i].second; ++w) {
      --windows_[w].uses;
      free_if_done(w);
    }
  }
  changed_.notify_all();
}

void WeightStream::finish() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  Lock lock(mutex_);
  throw_if_failed(lock);
}

}  // namespace hf2mlx

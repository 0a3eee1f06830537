// The weight files of a remote model as they pass by: fetched in order by several connections, hashed, read by those who convert them, and
// forgotten.
//
// Files are cut into windows, each of which is one request. A window stays in memory until it is hashed and every block that was said to
// read it is finished. Blocks come in the order of the source, so that is soon; where it is not (a matrix that is read by columns), windows
// wait in a file, never in more memory. What is read without having been announced, or again, is fetched for itself and must be the same.
#pragma once

#include <condition_variable>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "hub/hub_link.h"
#include "hub/remote_file.h"
#include "hub/stream_window.h"
#include "io/read_trace.h"
#include "io/sha256_chain.h"

namespace hf2mlx {

// Remembers what of the files is hashed, from one run to the next.
class StreamLedger {
 public:
  virtual ~StreamLedger() = default;
  // What SHA-256 knew after each window of a file from the first on, without a gap.
  virtual std::vector<Sha256State> known(uint32_t file) = 0;
  // One window more. One thread at a time for a file.
  virtual void hashed(uint32_t file, uint32_t window, const Sha256State& state) = 0;
};

struct StreamOptions {
  uint64_t window_bytes = 2 << 20;  // a multiple of 64
  size_t windows = 14;              // in memory at once; three more where some are read out of order
  unsigned readers = 1;             // blocks that are worked on at once
  std::filesystem::path overflow;   // the file for windows that have to wait
};

// Construction, expect() and start() are for one thread, then all may read.
class WeightStream final : public RemoteBytes {
 public:
  // Takes over what was read of the files. They, the link and the ledger must outlive this. All files must have a SHA-256.
  WeightStream(HubLink& link, std::vector<std::shared_ptr<RemoteFile>> files, StreamLedger& ledger, StreamOptions options);
  ~WeightStream() override;  // ends the connections

  // What the blocks will read, in the order in which they are begun. `file` counts the files from 0.
  void expect(const std::vector<FileSpan>& block);
  void start();
  void read(const RemoteFile& file, uint64_t offset, std::span<std::byte> out) override;
  // The block that was expected as number `place` is.
  void finished(size_t place);
  // Returns when all bytes of all files have come by and their checksums were right; else throws: Error{kCorrupt} for a wrong one.
  void finish();

 private:
  struct File;
  struct Aside;
  using Lock = std::unique_lock<std::mutex>;

  void add_file(RemoteFile& file);
  File& file_of(size_t window);
  ByteRange range_of(const File& file, size_t window) const;
  uint64_t size_of(size_t window) { return range_of(file_of(window), window).size_bytes(); }
  bool is_hashed(size_t window);
  void check_content(File& file, size_t window, std::span<const std::byte> data);
  void check_against_states(const File& file, size_t window, std::span<const std::byte> data) const;
  [[noreturn]] void refuse(const File& file) const;
  void check_digest(const File& file) const;

  void run_connection();
  std::optional<size_t> claim(Lock& lock);
  void arrived(size_t window, Lock& lock);
  void hash_in_order(File& file, Lock& lock);
  void take_up(File& file, std::span<const std::byte> data);
  void free_if_done(size_t window);
  bool put_on_disk(Lock& lock);
  void fail(std::exception_ptr error);
  void throw_if_failed(Lock& lock) const;
  void wait(Lock& lock);

  void read_window(size_t window, uint64_t offset, std::span<std::byte> out);
  void read_pinned(size_t window, uint64_t offset, std::span<std::byte> out, Lock& lock);
  void read_aside(size_t window, uint64_t offset, std::span<std::byte> out);
  void fetch_aside(Aside& aside, size_t window);

  HubLink& link_;
  StreamLedger& ledger_;
  const StreamOptions options_;
  std::vector<std::shared_ptr<RemoteFile>> sources_;
  std::unordered_map<const RemoteFile*, size_t> file_numbers_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<StreamWindow> windows_;  // of all files
  WindowStore store_;
  size_t next_ = 0;     // window to be fetched
  size_t wanted_ = 0;   // the last that a reader waits for
  size_t leaving_ = 0;  // windows on their way to the disk
  std::exception_ptr error_;

  std::vector<std::pair<uint32_t, uint32_t>> ranges_;  // of windows that blocks read, both ends included
  std::vector<size_t> block_ranges_{0};                // of each block, where its ranges begin; and the end
  std::vector<uint32_t> last_windows_;                 // that any block up to this one reads
  size_t finished_blocks_ = 0;

  std::mutex aside_mutex_;  // guards all below
  std::condition_variable aside_changed_;
  std::vector<std::unique_ptr<Aside>> asides_;  // the one used last in front
};

}  // namespace hf2mlx

#include "io/file_posix.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "base/expect_error.h"
#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

std::string read(const Reader& reader, uint64_t offset, size_t count) {
  std::string out(count, '\0');
  reader.read_at(offset, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(Reader, ReadsRanges) {
  const TempFolder folder;
  const auto path = folder.put("a", "0123456789");
  const auto reader = open_reader(path);
  EXPECT_EQ(reader->size(), 10u);
  EXPECT_EQ(reader->name(), path.string());
  EXPECT_EQ(read(*reader, 0, 10), "0123456789");
  EXPECT_EQ(read(*reader, 3, 4), "3456");
  EXPECT_EQ(read(*reader, 10, 0), "");
}

TEST(Reader, EarlyEndIsCorrupt) {
  const TempFolder folder;
  const auto path = folder.put("a", "0123456789");
  const auto reader = open_reader(path);
  EXPECT_THAT(error_of([&] { read(*reader, 8, 5); }),
              IsError(ErrorCode::kCorrupt, path.string() + ": ends at byte 10, expected 5 bytes at offset 8", HasSubstr("incompletely")));
  EXPECT_EQ(error_of([&] { read(*reader, 100, 1); }).code(), ErrorCode::kCorrupt);
}

TEST(Reader, MissingFileFolderAndPipe) {
  const TempFolder folder;
  EXPECT_THAT(error_of([&] { open_reader(folder / "none"); }),
              IsError(ErrorCode::kNotFound, HasSubstr("none: cannot be opened: No such file")));
  EXPECT_THAT(error_of([&] { open_reader(folder.path()); }), IsError(ErrorCode::kNotFound, HasSubstr("not a file")));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { open_reader(folder / "pipe"); }), IsError(ErrorCode::kNotFound, HasSubstr("not a file")));
}

TEST(Reader, ReplacedFileIsNoticed) {
  const TempFolder folder;
  const auto files = std::make_shared<OpenFiles>(1);
  const auto a = open_reader(folder.put("a", "aaaa"), files);
  const auto b = open_reader(folder.put("b", "bbbb"), files);
  std::filesystem::rename(folder.put("c", "cccc"), folder / "a");
  EXPECT_EQ(read(*b, 0, 4), "bbbb");
  EXPECT_THAT(error_of([&] { read(*a, 0, 4); }), IsError(ErrorCode::kCorrupt, HasSubstr("was replaced while it was being read")));
}

size_t open_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) != -1;
  return count;
}

TEST(OpenFiles, KeepsNoMoreThanTheLimit) {
  const TempFolder folder;
  const size_t before = open_descriptors();
  const auto files = std::make_shared<OpenFiles>(3);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 20; ++i) readers.push_back(open_reader(folder.put(std::to_string(i), std::to_string(100 + i)), files));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(read(*readers[i], 0, 3), std::to_string(100 + i));
  }
  EXPECT_EQ(open_descriptors(), before + 3);
}

TEST(OpenFiles, ServesManyThreads) {
  const TempFolder folder;
  const auto files = std::make_shared<OpenFiles>(2);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 6; ++i) readers.push_back(open_reader(folder.put(std::to_string(i), std::to_string(i)), files));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) right += read(*readers[(i * 5 + t) % 6], 0, 1) == std::to_string((i * 5 + t) % 6);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 1200);
}

TEST(Writer, WritesPiecesInAnyOrder) {
  const TempFolder folder;
  {
    const auto writer = create_writer(folder / "a", 6);
    EXPECT_EQ(std::filesystem::file_size(folder / "a"), 6u);
    writer->write_at(3, std::as_bytes(std::span("def", 3)));
    writer->write_at(0, std::as_bytes(std::span("abc", 3)));
    writer->sync();
  }
  EXPECT_EQ(folder.text("a"), "abcdef");
}

TEST(Writer, NeverTouchesAnExistingFile) {
  const TempFolder folder;
  folder.put("a", "old");
  EXPECT_THAT(error_of([&] { create_writer(folder / "a"); }), IsError(ErrorCode::kIo, HasSubstr("a: cannot be created: File exists")));
  EXPECT_EQ(folder.text("a"), "old");
  EXPECT_EQ(error_of([&] { write_file(folder / "no/such", "x"); }).code(), ErrorCode::kNotFound);
}

// Fails calls in their middle, as a full disk does, without filling one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(Writer, FailsBeforeTheFirstByteWhenThereIsNoRoom) {
  const TempFolder folder;
  const FileSizeLimit limit(5000);
  EXPECT_THAT(error_of([&] { create_writer(folder / "a", 20000); }), IsError(ErrorCode::kIo, HasSubstr("File too large")));
}

TEST(Writer, AWriteThatFailsInItsMiddleIsAnError) {
  const TempFolder folder;
  const FileSizeLimit limit(5000);
  EXPECT_THAT(error_of([&] { write_file(folder / "a", std::string(20000, 'x')); }),
              IsError(ErrorCode::kIo, HasSubstr("a: cannot write 20000 bytes at offset 0: File too large")));
  EXPECT_EQ(std::filesystem::file_size(folder / "a"), 5000u);
}

TEST(CopyFile, CopiesTheContentOnly) {
  const TempFolder folder;
  std::string big;
  for (int i = 0; big.size() < (3u << 20); ++i) big += std::to_string(i);
  std::filesystem::permissions(folder.put("a", big), std::filesystem::perms::owner_read);
  folder.link("link", folder / "a");
  copy_content(folder / "link", folder / "b");
  EXPECT_EQ(folder.text("b"), big);
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "b"));
  EXPECT_NE(std::filesystem::status(folder / "b").permissions() & std::filesystem::perms::owner_write, std::filesystem::perms::none);
  copy_content(folder.put("empty"), folder / "c");
  EXPECT_EQ(std::filesystem::file_size(folder / "c"), 0u);
  EXPECT_EQ(error_of([&] { copy_content(folder / "a", folder / "b"); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { copy_content(folder / "none", folder / "d"); }).code(), ErrorCode::kNotFound);
}

TEST(CopyFile, GoesThroughABufferWhereTheKernelCannot) {
  const std::filesystem::path other = "/dev/shm";
  if (!std::filesystem::exists(other)) GTEST_SKIP() << "no second file system here";
  const TempFolder folder;
  const std::string big(2500000, 'q');
  const std::filesystem::path to = other / ("hf2mlx_copy_test_" + std::to_string(::getpid()));
  copy_content(folder.put("a", big), to);
  copy_content(to, folder / "b");
  std::filesystem::remove(to);
  EXPECT_EQ(folder.text("b"), big);
}

TEST(SyncTree, WalksEverything) {
  const TempFolder folder;
  folder.put("a/b/c", "x");
  folder.link("dangling", "nowhere");
  EXPECT_NO_THROW(sync_tree(folder.path()));
  EXPECT_EQ(error_of([&] { sync_tree(folder / "none"); }).code(), ErrorCode::kNotFound);
}

TEST(ReopenWriter, KeepsWhatIsThere) {
  const TempFolder folder;
  folder.put("old", "abcd");
  const std::string text = "XY";
  reopen_writer(folder / "old")->write_at(3, std::as_bytes(std::span(text)));
  EXPECT_EQ(folder.text("old"), "abcXY");
  reopen_writer(folder / "new")->write_at(0, std::as_bytes(std::span(text)));
  EXPECT_EQ(folder.text("new"), "XY");
}

}  // namespace
}  // namespace hf2mlx

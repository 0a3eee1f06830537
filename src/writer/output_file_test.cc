#include "writer/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "base/temp_folder.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::Pair;

class MemoryWriter : public Writer {
 public:
  explicit MemoryWriter(std::string& text) : text_(text) {}
  void write_at(uint64_t offset, std::span<const std::byte> data) override {
    if (text_.size() < offset + data.size()) text_.resize(offset + data.size());
    if (!data.empty()) std::memcpy(text_.data() + offset, data.data(), data.size());
  }
  void sync() override {}

 private:
  std::string& text_;
};

class FullWriter : public Writer {
 public:
  void write_at(uint64_t, std::span<const std::byte>) override { throw Error(ErrorCode::kNoSpace, "x: full"); }
  void sync() override {}
};

TEST(OutputFile, KeepsOrderAcrossManyWrites) {
  std::string text;
  std::string expected;
  OutputFile file(std::make_unique<MemoryWriter>(text));
  for (int i = 0; i < 200'000; ++i) {
    const std::string piece = std::to_string(i) + "\n";
    file.append(piece);
    expected += piece;
  }
  const FileDigest digest = file.finish();
  EXPECT_TRUE(text == expected);
  EXPECT_EQ(digest.size_bytes, expected.size());
  Digest hash(Hash::kSha256);
  hash.update(std::as_bytes(std::span(expected)));
  EXPECT_EQ(digest.sha256, hash.finish());
}

TEST(OutputFile, ErrorsOfTheDiskComeThrough) {
  OutputFile file(std::make_unique<FullWriter>());
  file.append("x");
  EXPECT_THROW(file.finish(), Error);
}

TEST(OutputFolder, CopiesLinksAsFilesWithSaneMode) {
  const TempFolder source;
  const TempFolder target;
  std::string large(1'000'000, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 251);
  source.put("blob", large);
  source.put("empty", "");
  source.link("link", source.path() / "blob");
  std::filesystem::permissions(source.path() / "blob", std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);

  OutputFolder out(target.path());
  out.copy("a/b/link", source.path() / "link");
  out.copy("empty", source.path() / "empty");
  EXPECT_TRUE(target.text("a/b/link") == large);
  EXPECT_EQ(target.text("empty"), "");
  EXPECT_FALSE(std::filesystem::is_symlink(target.path() / "a/b/link"));
  struct stat status {};
  ASSERT_EQ(::stat((target.path() / "a/b/link").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0700, 0600u);
  EXPECT_EQ(status.st_mode & 0111, 0u);
  EXPECT_THAT(out.files(), ElementsAre(Pair("a/b/link", testing::Field(&FileDigest::size_bytes, 1'000'000)),
                                       Pair("empty", testing::Field(&FileDigest::size_bytes, 0))));
}

TEST(OutputFolder, ReplacesWhatAnInterruptedRunLeft) {
  const TempFolder target;
  target.put("config.json", "something much longer than the new text");
  OutputFolder out(target.path());
  out.write_text("config.json", "{}");
  EXPECT_EQ(target.text("config.json"), "{}");
}

TEST(OutputFolder, MissingSourceIsNamed) {
  const TempFolder target;
  OutputFolder out(target.path());
  try {
    out.copy("x", target.path() / "no-such-file");
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-file"), std::string::npos);
  }
  EXPECT_TRUE(out.files().empty());
}

}  // namespace
}  // namespace hf2mlx

#include "io/record_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "base/temp_folder.h"
#include "base/text_file.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::vector<std::string> texts(const std::vector<Record>& records) {
  std::vector<std::string> out;
  for (const Record& record : records) out.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
  return out;
}

class RecordLogTest : public testing::Test {
 protected:
  RecordLogTest() {
    RecordLog log(path_, {});
    log.append(bytes("first"));
    log.append(bytes("second"));
  }

  TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "log";
};

TEST_F(RecordLogTest, GivesBackWhatWasAppended) {
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first", "second"));
  EXPECT_THAT(read_record_log(folder_.path() / "none"), IsEmpty());
}

TEST_F(RecordLogTest, GoesOnBehindWhatIsKnown) {
  const auto known = read_record_log(path_);
  RecordLog(path_, known).append(bytes("third"));
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first", "second", "third"));
  RecordLog(path_, {}).append(bytes("new"));
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("new"));
}

TEST_F(RecordLogTest, EndsWhereARecordIsCut) {
  const std::string whole = read_text_file(path_, 1000);
  for (size_t size = whole.size() - 1; size > whole.size() - 14; --size) {
    std::filesystem::resize_file(path_, size);
    EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first")) << size;
  }
  RecordLog(path_, read_record_log(path_)).append(bytes("again"));
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first", "again"));
}

TEST_F(RecordLogTest, EndsWhereARecordIsNotWhatWasWritten) {
  std::string text = read_text_file(path_, 1000);
  text.back() = 'x';
  folder_.put("log", text);
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first"));
  folder_.put("log", text.substr(0, 13) + std::string(4096, '\0'));  // what a power cut leaves of a page that was not written
  EXPECT_THAT(texts(read_record_log(path_)), ElementsAre("first"));
}

}  // namespace
}  // namespace hf2mlx

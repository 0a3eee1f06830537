#include "stream_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Sha256State state_of(int value) {
  Sha256State state{};
  state[0] = static_cast<std::byte>(value);
  return state;
}

TEST(StreamJournalTest, TellsTheNextRunWhatIsFinished) {
  const TempFolder folder;
  {
    StreamJournal journal(folder / "journal", 2);
    EXPECT_THAT(journal.blocks(), IsEmpty());
    journal.hashed(1, 0, state_of(1));
    journal.written(7, {state_of(9), {{1, 2}, {3, 4}}});
    journal.hashed(1, 1, state_of(2));
  }
  for (int i = 0; i < 2; ++i) {
    StreamJournal journal(folder / "journal", 2);
    EXPECT_EQ(journal.known(1), (std::vector{state_of(1), state_of(2)}));
    EXPECT_THAT(journal.known(0), IsEmpty());
    ASSERT_THAT(journal.blocks(), SizeIs(1));
    const BlockRecord& record = journal.blocks().at(7);
    EXPECT_EQ(record.digest, state_of(9));
    EXPECT_EQ(record.losses[1].error_squares, 3);
    EXPECT_EQ(record.losses[1].value_squares, 4);
  }
}

TEST(StreamJournalTest, WindowsAreKnownUpToTheFirstGap) {
  const TempFolder folder;
  {
    StreamJournal journal(folder / "journal", 1);
    journal.hashed(0, 0, state_of(1));
    journal.hashed(0, 2, state_of(3));
  }
  EXPECT_EQ(StreamJournal(folder / "journal", 1).known(0), (std::vector{state_of(1)}));
}

TEST(StreamJournalTest, BlocksOfAnotherNumberOfPlansAreNotKnown) {
  const TempFolder folder;
  StreamJournal(folder / "journal", 1).written(7, {state_of(9), {{1, 2}}});
  EXPECT_THAT(StreamJournal(folder / "journal", 2).blocks(), IsEmpty());
}

}  // namespace
}  // namespace hf2mlx

#include "tokenizer/vocabulary.h"

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

Vocabulary vocabulary_of(const std::vector<std::string>& texts) {
  Vocabulary vocabulary;
  for (const std::string& text : texts) vocabulary.add(text, static_cast<uint32_t>(vocabulary.size()));
  return vocabulary;
}

std::vector<std::string> texts_of(const Vocabulary& vocabulary, const std::vector<Merge>& merges) {
  std::vector<std::string> out;
  for (const Merge& merge : merges) out.push_back(vocabulary[merge.left].text + " " + vocabulary[merge.right].text);
  return out;
}

TEST(Vocabulary, FindsWhatWasAddedAndNothingElse) {
  Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.find("a"), std::nullopt);
  for (uint32_t i = 0; i < 5000; ++i) vocabulary.add("t" + std::to_string(i), 3 * i);
  EXPECT_EQ(vocabulary.size(), 5000u);
  EXPECT_EQ(vocabulary.find("t4999"), 4999u);
  EXPECT_EQ(vocabulary[4999].id, 14997u);
  EXPECT_EQ(vocabulary.find("t5000"), std::nullopt);
  EXPECT_EQ(vocabulary.find(""), std::nullopt);
}

TEST(Vocabulary, TheSameTextTwiceIsAnError) {
  EXPECT_THAT(error_of([] { vocabulary_of({"a", "b", "a"}); }), IsError(ErrorCode::kCorrupt, "the tokens 0 and 2 are the same"));
}

TEST(Merges, HigherScoresComeFirstThenShorterLeftParts) {
  const Vocabulary v = vocabulary_of({"a", "aa", "aaa", "b", "ab"});
  const std::vector<float> scores = {-9, -2, -1, -9, -3};
  EXPECT_THAT(texts_of(v, merges_of_scores(v, scores)), testing::ElementsAre("a aa", "aa a", "a a", "a b"));
}

TEST(Merges, OfScoresAreSplitBetweenCharacters) {
  const Vocabulary v = vocabulary_of({"\xC3", "\xA9", "\xC3\xA9", "e", "e\xC3\xA9"});
  EXPECT_THAT(texts_of(v, merges_of_scores(v, std::vector<float>(5))), testing::ElementsAre("e \xC3\xA9"));
}

TEST(Merges, OfRanksAreSplitBetweenBytesAndOrderedByTheirParts) {
  Vocabulary v;
  v.add("abc", 9);
  v.add("a", 5);
  v.add("bc", 6);
  v.add("ab", 3);
  v.add("c", 2);
  v.add("b", 1);
  EXPECT_THAT(texts_of(v, merges_of_ranks(v)), testing::ElementsAre("a b", "b c", "ab c", "a bc"));
}

}  // namespace
}  // namespace hf2mlx

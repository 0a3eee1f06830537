#include "tokenizer/spm_model.h"

#include <limits>

#include "base/expect_error.h"
#include "tokenizer/test_spm.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

Error error_of_model(const std::string& bytes) {
  return error_of([&] { parse_spm_model(bytes, "m"); });
}

TEST(SpmModel, PiecesScoresAndKinds) {
  const SpmModel model = parse_spm_model(small_spm(), "m");
  EXPECT_EQ(model.algorithm, SpmAlgorithm::kBpe);
  ASSERT_EQ(model.vocabulary.size(), 7u);
  EXPECT_EQ(model.vocabulary[4].text, "abb");
  EXPECT_EQ(model.vocabulary[4].id, 4u);
  EXPECT_EQ(model.scores[3], -0.5F);
  EXPECT_EQ(model.kinds[1], SpmPiece::kControl);
  EXPECT_EQ(model.bos_piece, "<s>");  // the default of the format
  EXPECT_TRUE(model.add_dummy_prefix);
  EXPECT_FALSE(model.remove_extra_whitespaces);
  EXPECT_FALSE(model.byte_fallback);
}

TEST(SpmModel, WithoutSettingsTheDefaultsOfTheFormatCount) {
  const SpmModel model = parse_spm_model(spm_piece("<unk>", 0, 2), "m");
  EXPECT_EQ(model.algorithm, SpmAlgorithm::kUnigram);
  EXPECT_TRUE(model.add_dummy_prefix);
  EXPECT_TRUE(model.remove_extra_whitespaces);
  EXPECT_EQ(model.unk_piece, "<unk>");
}

TEST(SpmModel, APieceThatBeginsTextsMayBeMissing) {
  const std::string none = bytes_field(2, number_field(3, 1) + number_field(41, std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(parse_spm_model(spm_piece("<unk>", 0, 2) + none, "m").bos_piece, "");
}

TEST(SpmModel, WhatIsNoModelIsNamed) {
  const std::string unk = spm_piece("<unk>", 0, 2);
  EXPECT_THAT(error_of_model(""), IsError(ErrorCode::kCorrupt, HasSubstr("m: neither a SentencePiece model nor a tiktoken file")));
  EXPECT_THAT(error_of_model("\xFF\xFF\xFF"), IsError(ErrorCode::kCorrupt, HasSubstr("neither")));
  EXPECT_THAT(error_of_model(unk + unk), IsError(ErrorCode::kCorrupt, HasSubstr("the tokens 0 and 1 are the same")));
  EXPECT_THAT(error_of_model(unk + spm_piece("\xC3")), IsError(ErrorCode::kCorrupt, HasSubstr("not UTF-8")));
  EXPECT_THAT(error_of_model(unk + spm_piece("")), IsError(ErrorCode::kCorrupt, HasSubstr("piece 1 is empty")));
  EXPECT_THAT(error_of_model(unk + spm_piece("a", std::numeric_limits<float>::infinity())),
              IsError(ErrorCode::kCorrupt, HasSubstr("finite")));
  EXPECT_THAT(error_of_model(unk + spm_piece(std::string(2000, 'a'))), IsError(ErrorCode::kCorrupt, HasSubstr("a token of 2000 bytes")));
  EXPECT_THAT(error_of_model(unk + bytes_field(2, number_field(40, 7))), IsError(ErrorCode::kCorrupt, HasSubstr("the unknown token is 7")));
  EXPECT_THAT(error_of_model(unk + bytes_field(3, bytes_field(2, "\x08"))), IsError(ErrorCode::kCorrupt, HasSubstr("normalization rules")));
}

TEST(SpmModel, WhatNoTokenizerJsonExpressesIsNamed) {
  const std::string unk = spm_piece("<unk>", 0, 2);
  EXPECT_THAT(error_of_model(unk + spm_trainer(3)), IsError(ErrorCode::kUnsupported, HasSubstr("of type 3")));
  EXPECT_THAT(error_of_model(unk + bytes_field(2, number_field(24, 1))), IsError(ErrorCode::kUnsupported, HasSubstr("behind words")));
}

}  // namespace
}  // namespace hf2mlx

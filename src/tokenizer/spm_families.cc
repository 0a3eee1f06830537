// See spm_families.h. What each class does is written in transformers 5.23, src/transformers/models/*/tokenization_*.py.
#include "tokenizer/spm_families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace hf2mlx {
namespace {

void set_default(TokenizerSettings& settings, const char* name, const std::string& content) {
  if (!content.empty()) settings.named.try_emplace(name, special_token(content));
}

std::string named(const TokenizerSettings& settings, const char* name) {
  const auto at = settings.named.find(name);
  return at != settings.named.end() && at->second ? at->second->content : std::string();
}

void set_default_names(SpmFamily family, const SpmModel& model, TokenizerSettings& settings) {
  if (family == SpmFamily::kAsTrained) {
    set_default(settings, "unk_token", model.unk_piece);
    set_default(settings, "bos_token", model.bos_piece);
    set_default(settings, "eos_token", model.eos_piece);
    return;
  }
  set_default(settings, "unk_token", "<unk>");
  if (family == SpmFamily::kLlama || family == SpmFamily::kCodeLlama) {
    set_default(settings, "bos_token", "<s>");
    set_default(settings, "eos_token", "</s>");
  } else if (family == SpmFamily::kGemma) {
    set_default(settings, "bos_token", "<bos>");
    set_default(settings, "eos_token", "<eos>");
    set_default(settings, "pad_token", "<pad>");
    set_default(settings, "mask_token", "<mask>");
  } else {
    set_default(settings, "eos_token", "</s>");
    set_default(settings, "pad_token", "<pad>");
  }
}

// Models name spare pieces afterwards: [UNUSED_TOKEN_146] of InternLM2 is <|im_start|> in its settings, which have the last word on an id.
void rename_spare_pieces(const TokenizerSettings& settings, SpmModel& model) {
  const auto is_spare = [&](uint32_t id, const AddedToken& token) {
    return id < model.vocabulary.size() && model.kinds[id] != SpmPiece::kByte && !token.content.empty() &&
           !model.vocabulary.find(token.content);
  };
  std::map<uint32_t, std::string> names;
  for (const auto& [id, token] : settings.by_id) {
    if (is_spare(id, token)) names.emplace(id, token.content);
  }
  if (names.empty()) return;
  Vocabulary renamed;
  renamed.reserve(model.vocabulary.size());
  for (const Token& token : model.vocabulary.tokens()) {
    const auto name = names.find(token.id);
    renamed.add(name != names.end() ? name->second : token.text, token.id);
  }
  model.vocabulary = std::move(renamed);
}

// Control pieces are special, pieces that users defined are not; both are found before anything else.
std::vector<AddedToken> declared_tokens(const SpmModel& model) {
  std::vector<AddedToken> tokens;
  for (size_t i = 0; i < model.vocabulary.size(); ++i) {
    const SpmPiece kind = model.kinds[i];
    if (kind != SpmPiece::kControl && kind != SpmPiece::kUserDefined) continue;
    tokens.push_back({model.vocabulary[i].text, false, false, false, false, kind == SpmPiece::kControl});
  }
  return tokens;
}

// <extra_id_99> ... <extra_id_0> follow the pieces, in this order.
void add_sentinels(uint32_t count, SpmModel& model, std::vector<AddedToken>& tokens) {
  for (uint32_t i = count; i-- > 0;) {
    std::string text = fmt::format("<extra_id_{}>", i);
    tokens.push_back(special_token(text));
    if (model.vocabulary.find(text)) continue;
    model.vocabulary.add(std::move(text), static_cast<uint32_t>(model.vocabulary.size()));
    model.scores.push_back(0);
    model.kinds.push_back(SpmPiece::kUserDefined);
  }
}

std::vector<AddedToken> infill_tokens() {
  std::vector<AddedToken> tokens;
  for (const char* name : {"<PRE>", "<MID>", "<SUF>", "<EOT>"}) tokens.push_back(special_token(std::string(kMetaspace) + name));
  tokens.push_back(special_token("<FILL_ME>"));
  return tokens;
}

Parts llama_parts(SpmFamily family, const TokenizerSettings& settings) {
  const bool prefix = settings.add_prefix_space.value_or(true);
  const bool every_part = family == SpmFamily::kLlama && settings.legacy.value_or(false);
  const bool strip = prefix || family == SpmFamily::kCodeLlama;
  Parts parts;
  parts.pre_tokenizer = metaspace(!prefix ? "never" : every_part ? "always" : "first", false);
  parts.decoder = spm_decoder(strip ? Strip::kFirstSpace : Strip::kNo);
  return parts;
}

Parts gemma_parts() {
  Parts parts;
  parts.normalizer = replace(" ", kMetaspace);
  parts.pre_tokenizer = {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}};
  parts.decoder = spm_decoder(Strip::kNo);
  return parts;
}

Parts t5_parts(const SpmModel& model) {
  Parts parts;
  if (!model.charsmap.empty()) parts.normalizer = precompiled(model.charsmap);
  parts.pre_tokenizer = sequence("pretokenizers", {part("WhitespaceSplit"), metaspace("always", true)});
  parts.decoder = metaspace("always", true);
  return parts;
}

// SentencePiece's own order: rules, spaces, the space before the text, and U+2581 for spaces. It cuts nothing into words.
Parts trained_parts(const SpmModel& model) {
  std::vector<OrderedJson> steps;
  if (!model.charsmap.empty()) steps.push_back(precompiled(model.charsmap));
  if (model.remove_extra_whitespaces) {
    // At the end it takes U+2581 for the space that it stands for.
    steps.push_back(replace_matches(fmt::format(R"(\A +|[ {}]+\z)", kMetaspace), ""));
    steps.push_back(replace_matches(" {2,}", " "));
  }
  if (model.add_dummy_prefix) steps.push_back(prepend(kMetaspace));
  steps.push_back(replace(" ", kMetaspace));
  Parts parts;
  parts.normalizer = sequence("normalizers", std::move(steps));
  parts.decoder = spm_decoder(model.add_dummy_prefix ? Strip::kFirstSpace : Strip::kNo);
  return parts;
}

Parts parts_of(SpmFamily family, const SpmModel& model, const TokenizerSettings& settings) {
  if (family == SpmFamily::kLlama || family == SpmFamily::kCodeLlama) return llama_parts(family, settings);
  if (family == SpmFamily::kGemma) return gemma_parts();
  return family == SpmFamily::kT5 ? t5_parts(model) : trained_parts(model);
}

// Classes of the models' own code whose default is to begin a text with the first token.
bool code_adds_bos(std::string_view class_name) {
  constexpr std::array<std::string_view, 6> kClasses = {"BaichuanTokenizer",  "InternLMTokenizer",    "InternLM2Tokenizer",
                                                        "InternLM3Tokenizer", "IQuestCoderTokenizer", "PlamoTokenizer"};
  return std::find(kClasses.begin(), kClasses.end(), class_name) != kClasses.end();
}

Template template_of(SpmFamily family, const TokenizerSettings& settings) {
  const std::string bos = named(settings, "bos_token");
  const std::string eos = named(settings, "eos_token");
  if (family == SpmFamily::kT5) return {{}, {eos}, 0};
  const bool adds_bos = family == SpmFamily::kCodeLlama || (family == SpmFamily::kAsTrained && code_adds_bos(settings.class_name));
  Template around;
  if (settings.add_bos.value_or(adds_bos) && !bos.empty()) around.before = {bos};
  if (settings.add_eos.value_or(false) && !eos.empty()) around.after = {eos};
  return around;
}

BpeModel bpe_of(SpmFamily family, const SpmModel& model, const TokenizerSettings& settings) {
  BpeModel bpe;
  bpe.fuse_unk = true;
  bpe.byte_fallback = model.byte_fallback || family != SpmFamily::kAsTrained;
  bpe.merges = merges_of_scores(model.vocabulary, model.scores);
  if (family == SpmFamily::kAsTrained) {
    bpe.unk_token = model.vocabulary[model.unk_id].text;
  } else if (family == SpmFamily::kLlama) {
    // transformers sets none, which drops characters that have neither a piece nor bytes.
    if (!model.byte_fallback) bpe.unk_token = model.vocabulary[model.unk_id].text;
  } else {
    bpe.unk_token = named(settings, "unk_token");
  }
  return bpe;
}

}  // namespace

SpmFamily spm_family(std::string_view class_name, std::string_view model_type, SpmAlgorithm algorithm) {
  const bool bpe = algorithm == SpmAlgorithm::kBpe;
  if (class_name == "LlamaTokenizer" && bpe) return SpmFamily::kLlama;
  if (class_name == "CodeLlamaTokenizer" && bpe) return SpmFamily::kCodeLlama;
  if (class_name == "GemmaTokenizer" && bpe) return SpmFamily::kGemma;
  if (class_name == "T5Tokenizer" && !bpe) return SpmFamily::kT5;
  if (!class_name.empty()) return SpmFamily::kAsTrained;
  if (model_type.starts_with("gemma") && bpe) return SpmFamily::kGemma;
  return model_type == "t5" && !bpe ? SpmFamily::kT5 : SpmFamily::kAsTrained;
}

std::string_view name_of(SpmFamily family) {
  constexpr std::array<std::string_view, 5> kNames = {"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "T5Tokenizer",
                                                      "SentencePiece"};
  return kNames[static_cast<size_t>(family)];
}

void build_from_spm(SpmModel model, SpmFamily family, TokenizerSettings settings, Tokenizer& out) {
  rename_spare_pieces(settings, model);
  set_default_names(family, model, settings);
  std::vector<AddedToken> extra = declared_tokens(model);
  if (family == SpmFamily::kT5) add_sentinels(settings.extra_ids, model, extra);
  if (family == SpmFamily::kCodeLlama) {
    for (AddedToken& token : infill_tokens()) extra.push_back(std::move(token));
  }
  for (const AddedToken& token : settings.extra.value_or(std::vector<AddedToken>())) extra.push_back(token);
  settings.extra = std::move(extra);
  out.parts = parts_of(family, model, settings);
  if (model.algorithm == SpmAlgorithm::kBpe) {
    out.bpe = bpe_of(family, model, settings);
  } else {
    out.unigram = UnigramModel{model.unk_id, family == SpmFamily::kAsTrained && model.byte_fallback, std::move(model.scores)};
  }
  out.vocabulary = std::move(model.vocabulary);
  add_tokens_of(settings, out.added);
  out.parts.post_processor = template_processor(template_of(family, settings), out.added);
}

}  // namespace hf2mlx

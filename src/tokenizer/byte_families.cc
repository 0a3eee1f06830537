// See byte_families.h. The classes are those of transformers 5.23. The patterns and special tokens of tiktoken files are facts of the code
// beside them: tokenization_qwen.py (Qwen 1), tokenization_hy.py (Hunyuan), tokenization_phi3_small.py (Phi-3 small),
// tokenization_kimi.py (Kimi), tokenization_chatglm.py (GLM-4).
#include "tokenizer/byte_families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace hf2mlx {
namespace {

constexpr std::string_view kQwenPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// With marks as letters.
constexpr std::string_view kQwen35Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// With numbers of up to three digits.
constexpr std::string_view kPlainPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// With Chinese characters apart, and words cut where capitals begin.
constexpr std::string_view kKimiPattern =
    R"([\p{Han}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct ModelClass {
  std::string_view name;
  ByteFamily family;
};

constexpr std::array<ModelClass, 5> kClasses = {{{"GPT2Tokenizer", ByteFamily::kGpt2},
                                                 {"CodeGenTokenizer", ByteFamily::kCodeGen},
                                                 {"GPTNeoXTokenizer", ByteFamily::kGptNeoX},
                                                 {"Qwen2Tokenizer", ByteFamily::kQwen2},
                                                 {"Qwen3_5Tokenizer", ByteFamily::kQwen35}}};

constexpr std::array<ModelClass, 15> kModelTypes = {{{"gpt2", ByteFamily::kGpt2},
                                                     {"gpt_bigcode", ByteFamily::kGpt2},
                                                     {"opt", ByteFamily::kGpt2},
                                                     {"phi", ByteFamily::kCodeGen},
                                                     {"starcoder2", ByteFamily::kGpt2},
                                                     {"gpt_neox", ByteFamily::kGptNeoX},
                                                     {"mamba", ByteFamily::kGptNeoX},
                                                     {"mamba2", ByteFamily::kGptNeoX},
                                                     {"olmo", ByteFamily::kGptNeoX},
                                                     {"olmoe", ByteFamily::kGptNeoX},
                                                     {"qwen2", ByteFamily::kQwen2},
                                                     {"qwen2_moe", ByteFamily::kQwen2},
                                                     {"qwen3", ByteFamily::kQwen2},
                                                     {"qwen3_moe", ByteFamily::kQwen2},
                                                     {"qwen3_next", ByteFamily::kQwen2}}};

template <size_t n>
std::optional<ByteFamily> find(const std::array<ModelClass, n>& classes, std::string_view name) {
  const auto at = std::find_if(classes.begin(), classes.end(), [&](const ModelClass& c) { return c.name == name; });
  if (at == classes.end()) return std::nullopt;
  return at->family;
}

void set_default(TokenizerSettings& settings, const char* name, const char* content) {
  settings.named.try_emplace(name, special_token(content));
}

bool is_qwen(ByteFamily family) { return family == ByteFamily::kQwen2 || family == ByteFamily::kQwen35; }

void set_default_names(ByteFamily family, TokenizerSettings& settings) {
  constexpr const char* kEnd = "<|endoftext|>";
  set_default(settings, "unk_token", kEnd);
  set_default(settings, "eos_token", kEnd);
  set_default(settings, is_qwen(family) ? "pad_token" : "bos_token", kEnd);
  if (family == ByteFamily::kGptNeoX) set_default(settings, "pad_token", "<|padding|>");
}

OrderedJson cut_then_bytes(std::string_view pattern, bool add_prefix_space) {
  return sequence("pretokenizers", {split_matches(pattern), byte_level(add_prefix_space, true, false)});
}

Parts parts_of(ByteFamily family, bool add_prefix_space) {
  Parts parts;
  if (is_qwen(family) || family == ByteFamily::kGptNeoX) parts.normalizer = part("NFC");
  parts.pre_tokenizer = is_qwen(family) ? cut_then_bytes(family == ByteFamily::kQwen2 ? kQwenPattern : kQwen35Pattern, add_prefix_space)
                                        : byte_level(add_prefix_space, true, true);
  parts.decoder = byte_level(true, true, true);
  return parts;
}

Template template_of(const TokenizerSettings& settings) {
  Template around;
  const auto bos = settings.named.find("bos_token");
  const auto eos = settings.named.find("eos_token");
  if (settings.add_bos.value_or(false) && bos != settings.named.end() && bos->second) around.before = {bos->second->content};
  if (settings.add_eos.value_or(false) && eos != settings.named.end() && eos->second) around.after = {eos->second->content};
  return around;
}

// Qwen2Tokenizer adds all its special tokens a second time, without their flags.
void add_plain_again(const TokenizerSettings& settings, AddedTokens& tokens) {
  for (const auto& [name, token] : settings.named) {
    if (token) tokens.add(special_token(token->content));
  }
  for (const auto& [name, token] : settings.own) tokens.add(special_token(token.content));
  for (const AddedToken& token : settings.extra.value_or(std::vector<AddedToken>())) tokens.add(special_token(token.content));
}

// From <|dummy_id_N|> on, `count` of them.
void append_dummies(std::vector<std::string>& tokens, int first, int count) {
  for (int i = first; i < first + count; ++i) tokens.push_back(fmt::format("<|dummy_id_{}|>", i));
}

// OpenAI's cl100k_base, whose rank 100256 is not used, with the roles of a chat between its own tokens, filled up to 100,352.
std::vector<std::string> tokens_of_phi3_small() {
  std::vector<std::string> tokens = {"<|dummy_id_2|>", "<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>",
                                     "<|fim_suffix|>", "<|system|>",    "<|user|>",       "<|assistant|>"};
  append_dummies(tokens, 0, 2);
  tokens.push_back("<|end|>");
  append_dummies(tokens, 3, 9);
  tokens.push_back("<|endofprompt|>");
  append_dummies(tokens, 12, 75);
  return tokens;
}

std::vector<std::string> fixed_tokens(TiktokenFamily family) {
  if (family == TiktokenFamily::kPhi3Small) return tokens_of_phi3_small();
  std::vector<std::string> tokens = {"<|endoftext|>"};
  if (family == TiktokenFamily::kQwen) tokens.insert(tokens.end(), {"<|im_start|>", "<|im_end|>"});
  if (family == TiktokenFamily::kHunyuan) tokens.insert(tokens.end(), {"<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>"});
  for (int i = 0; i < 205; ++i) tokens.push_back(fmt::format("<|extra_{}|>", i));
  return tokens;
}

// What follows the ranks: the tokens with an id of the settings, and a placeholder for every id between.
std::vector<std::string> tokens_of_settings(TiktokenFamily family, const TokenizerSettings& settings, uint32_t first) {
  constexpr uint32_t kKimiReserved = 256;
  uint32_t end = family == TiktokenFamily::kKimi ? first + kKimiReserved : first;
  if (!settings.by_id.empty()) end = std::max(end, std::min<uint32_t>(settings.by_id.rbegin()->first + 1, first + 100'000));
  std::vector<std::string> tokens;
  for (uint32_t id = first; id < end; ++id) {
    const auto at = settings.by_id.find(id);
    tokens.push_back(at != settings.by_id.end() ? at->second.content : fmt::format("<|reserved_token_{}|>", id));
  }
  return tokens;
}

// For classes that have a processor of their own, which the settings replace.
OrderedJson own_post_processor(const TokenizerSettings& settings, const AddedTokens& added) {
  if (settings.add_bos || settings.add_eos) return template_processor(template_of(settings), added);
  return byte_level(true, false, true);
}

// Ranks stand for merges, so a word that is a token is that token.
void set_ranked_model(ByteLevelBpe bpe, std::string_view pattern, Tokenizer& out) {
  out.vocabulary = std::move(bpe.vocabulary);
  out.bpe = BpeModel{{}, {}, false, false, true, std::move(bpe.merges)};
  out.parts.pre_tokenizer = cut_then_bytes(pattern, false);
  out.parts.decoder = byte_level(true, true, true);
}

}  // namespace

std::optional<ByteFamily> byte_family(std::string_view class_name, std::string_view model_type) {
  // transformers goes by the model type here, whatever the class says.
  if (model_type.starts_with("qwen3_5")) return ByteFamily::kQwen35;
  if (model_type == "qwen2") return ByteFamily::kQwen2;
  if (const auto family = find(kClasses, class_name)) return family;
  const bool says_nothing = class_name.empty() || class_name == "PreTrainedTokenizer" || class_name == "TokenizersBackend";
  return says_nothing ? find(kModelTypes, model_type) : std::nullopt;
}

std::string_view name_of(ByteFamily family) {
  constexpr std::array<std::string_view, 5> kNames = {"GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "Qwen2Tokenizer",
                                                      "Qwen3_5Tokenizer"};
  return kNames[static_cast<size_t>(family)];
}

void build_from_vocab(ByteLevelBpe bpe, ByteFamily family, TokenizerSettings settings, Tokenizer& out) {
  set_default_names(family, settings);
  out.vocabulary = std::move(bpe.vocabulary);
  out.bpe = BpeModel{{}, "", false, false, false, std::move(bpe.merges)};
  out.parts = parts_of(family, settings.add_prefix_space.value_or(false));
  add_tokens_of(settings, out.added);
  if (family == ByteFamily::kQwen2) add_plain_again(settings, out.added);
  out.parts.post_processor =
      family == ByteFamily::kCodeGen ? own_post_processor(settings, out.added) : template_processor(template_of(settings), out.added);
}

std::optional<TiktokenFamily> tiktoken_family(std::string_view file_name) {
  if (file_name == "qwen.tiktoken") return TiktokenFamily::kQwen;
  if (file_name == "hy.tiktoken") return TiktokenFamily::kHunyuan;
  if (file_name == "cl100k_base.tiktoken") return TiktokenFamily::kPhi3Small;
  if (file_name == "tiktoken.model") return TiktokenFamily::kKimi;
  if (file_name == "tokenizer.model") return TiktokenFamily::kPlain;
  return std::nullopt;
}

std::string_view name_of(TiktokenFamily family) {
  constexpr std::array<std::string_view, 5> kNames = {"Qwen", "Hunyuan", "Phi-3 small", "Kimi", "GLM-4 and Llama 3"};
  return kNames[static_cast<size_t>(family)];
}

void build_from_tiktoken(ByteLevelBpe bpe, TiktokenFamily family, const TokenizerSettings& settings, Tokenizer& out) {
  const bool qwen = family == TiktokenFamily::kQwen || family == TiktokenFamily::kHunyuan;
  if (qwen) out.parts.normalizer = part("NFC");
  set_ranked_model(std::move(bpe), qwen ? kQwenPattern : family == TiktokenFamily::kKimi ? kKimiPattern : kPlainPattern, out);
  const auto first = static_cast<uint32_t>(out.vocabulary.size());
  const bool fixed = qwen || family == TiktokenFamily::kPhi3Small;
  const auto tokens = fixed ? fixed_tokens(family) : tokens_of_settings(family, settings, first);
  for (const std::string& token : tokens) out.added.add(special_token(token));
  add_tokens_of(settings, out.added);
  // GLM-4 begins every text with two tokens.
  const bool glm = settings.class_name == "ChatGLM4Tokenizer";
  out.parts.post_processor = glm ? template_processor({{"[gMASK]", "<sop>"}, {}, 1}, out.added) : own_post_processor(settings, out.added);
}

void build_from_tekken(Tekken tekken, const TokenizerSettings& settings, Tokenizer& out) {
  set_ranked_model(std::move(tekken.bpe), tekken.pattern, out);
  for (const std::string& token : tekken.special) out.added.add(special_token(token));
  add_tokens_of(settings, out.added);
  out.parts.post_processor = own_post_processor(settings, out.added);
}

}  // namespace hf2mlx

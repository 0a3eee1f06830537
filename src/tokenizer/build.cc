// See build.h.
#include "tokenizer/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text_file.h"
#include "hf2mlx/error.h"
#include "tokenizer/byte_families.h"
#include "tokenizer/settings.h"
#include "tokenizer/spm_families.h"
#include "tokenizer/tiktoken.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kMaxFileBytes = 64 << 20;
constexpr const char* kWhoNeedsIt = "mlx-swift and LM Studio need one";

class Builder {
 public:
  Builder(std::span<const SideFile> files, const Json& config) : files_(files) {
    if (config.is_object() && config.contains("model_type") && config["model_type"].is_string()) model_type_ = config["model_type"];
  }

  BuiltTokenizer run() {
    if (find(kTokenizerFile) != nullptr) return {};
    const SideFile* source = choose_source();
    try {
      settings_ = read_settings(json("tokenizer_config.json"), json("special_tokens_map.json"), json("added_tokens.json"));
      if (source != nullptr)
        build_from(*source);
      else
        explain_nothing();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt && error.code() != ErrorCode::kUnsupported) throw;
      out_.tokenizer.reset();
      if (source != nullptr) note(fmt::format("there is no tokenizer.json, and none can be built: {} ({})", error.what(), kWhoNeedsIt));
    }
    return std::move(out_);
  }

 private:
  const SideFile* find(std::string_view name) const {
    const auto at = std::find_if(files_.begin(), files_.end(), [&](const SideFile& file) { return file.relative_path == name; });
    return at == files_.end() ? nullptr : &*at;
  }

  // In the order in which they say most. Mistral numbers its tokenizer.model.
  const SideFile* choose_source() const {
    constexpr std::array<const char*, 11> kNames = {
        "tekken.json",     "qwen.tiktoken", "hy.tiktoken", "cl100k_base.tiktoken", "tiktoken.model",         "merges.txt",
        "tokenizer.model", "spiece.model",  "spm.model",   "sentencepiece.model",  "sentencepiece.bpe.model"};
    for (const char* name : kNames) {
      const SideFile* file = find(name);
      if (file != nullptr && (std::string_view(name) != "merges.txt" || find("vocab.json") != nullptr)) return file;
    }
    for (const SideFile& file : files_) {
      if (file.relative_path.starts_with("tokenizer.model.v")) return &file;
    }
    return nullptr;
  }

  Json json(const char* name) const {
    const SideFile* file = find(name);
    return file == nullptr ? Json() : parse_json(text(*file), name);
  }

  static std::string text(const SideFile& file) {
    if (file.size_bytes > kMaxFileBytes) throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes", file.relative_path, file.size_bytes));
    return read_text_file(file.source, kMaxFileBytes);
  }

  void build_from(const SideFile& source) {
    out_.tokenizer = std::make_unique<Tokenizer>();
    const std::string& name = source.relative_path;
    const std::string how = name == "merges.txt" ? from_vocab(source) : from_model_file(source);
    std::string line = fmt::format("tokenizer.json was built from {} ({})", name == "merges.txt" ? "vocab.json and merges.txt" : name, how);
    if (settings_.has_code) {
      line += fmt::format("; transformers does not use it but code of the model's own{}{}, which it runs only when trusted",
                          settings_.class_name.empty() ? "" : ", ", settings_.class_name);
    }
    note(std::move(line));
    note_moved_tokens();
  }

  std::string from_vocab(const SideFile& merges) {
    const auto family = byte_family(settings_.class_name, model_type_);
    if (!family) {
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format(
              "vocab.json: how a text is cut into words is known for GPT2Tokenizer, GPTNeoXTokenizer and Qwen2Tokenizer, not for {}",
              settings_.class_name.empty() ? "a model that names no class" : settings_.class_name));
    }
    build_from_vocab(parse_vocab_and_merges(text(*find("vocab.json")), text(merges), "tokenizer"), *family, settings_, *out_.tokenizer);
    return fmt::format("as {}", name_of(*family));
  }

  std::string from_model_file(const SideFile& source) {
    const std::string bytes = text(source);
    if (source.relative_path == "tekken.json") {
      build_from_tekken(parse_tekken(bytes, source.relative_path), settings_, *out_.tokenizer);
      return "byte-level BPE with its own pattern";
    }
    const auto tiktoken = tiktoken_family(source.relative_path);
    if (tiktoken && is_tiktoken(bytes)) {
      build_from_tiktoken(parse_tiktoken(bytes, source.relative_path), *tiktoken, settings_, *out_.tokenizer);
      return fmt::format("tiktoken, in the way of {}", name_of(*tiktoken));
    }
    SpmModel model = parse_spm_model(bytes, source.relative_path);
    const SpmFamily family = spm_family(settings_.class_name, model_type_, model.algorithm);
    const char* algorithm = model.algorithm == SpmAlgorithm::kBpe ? "BPE" : "unigram";
    build_from_spm(std::move(model), family, settings_, *out_.tokenizer);
    return fmt::format("{}, as {}", algorithm, family == SpmFamily::kAsTrained ? "SentencePiece reads it" : name_of(family));
  }

  // tokenizer.json cannot say that an added token has another id than the next one.
  void note_moved_tokens() {
    size_t count = 0;
    std::string example;
    for (const auto& [id, token] : settings_.by_id) {
      const auto now = out_.tokenizer->added.id_of(token.content);
      if (!now || *now == id) continue;
      if (count++ == 0) example = fmt::format("{} is {} instead of {}", token.content, *now, id);
    }
    if (count > 0) note(fmt::format("tokenizer.json: {} added tokens have other numbers than the source says: {}", count, example));
  }

  void explain_nothing() {
    if (find("vocab.txt") != nullptr) {
      note(fmt::format("there is no tokenizer.json, and none can be built from vocab.txt ({})", kWhoNeedsIt));
    } else if (settings_.has_code) {
      note(fmt::format(
          "the tokenizer is code of the model's own{}{}: no tokenizer.json can be built, and mlx-swift and LM Studio cannot load it",
          settings_.class_name.empty() ? "" : ", ", settings_.class_name));
    }
  }

  void note(std::string text) { out_.notes.push_back(std::move(text)); }

  std::span<const SideFile> files_;
  std::string model_type_;
  TokenizerSettings settings_;
  BuiltTokenizer out_;
};

}  // namespace

BuiltTokenizer build_tokenizer(std::span<const SideFile> side_files, const Json& config) { return Builder(side_files, config).run(); }

}  // namespace hf2mlx

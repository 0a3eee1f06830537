// See parts.h.
#include "tokenizer/parts.h"

#include "base/base64.h"

namespace hf2mlx {
namespace {

void append_tokens(OrderedJson& out, OrderedJson& special, const std::vector<std::string>& contents, int type, const AddedTokens& tokens) {
  for (const std::string& content : contents) {
    const auto id = tokens.id_of(content);
    if (!id) continue;
    out.push_back({{"SpecialToken", {{"id", content}, {"type_id", type}}}});
    special[content] = {{"id", content}, {"ids", OrderedJson::array({*id})}, {"tokens", OrderedJson::array({content})}};
  }
}

OrderedJson text_of(const char* name, int type) { return {{"Sequence", {{"id", name}, {"type_id", type}}}}; }

}  // namespace

OrderedJson part(const char* type) { return {{"type", type}}; }

OrderedJson sequence(const char* list, std::vector<OrderedJson> items) {
  OrderedJson out = part("Sequence");
  out[list] = std::move(items);
  return out;
}

OrderedJson replace(std::string_view text, std::string_view by) {
  return {{"type", "Replace"}, {"pattern", {{"String", text}}}, {"content", by}};
}

OrderedJson replace_matches(std::string_view regex, std::string_view by) {
  return {{"type", "Replace"}, {"pattern", {{"Regex", regex}}}, {"content", by}};
}

OrderedJson prepend(std::string_view text) { return {{"type", "Prepend"}, {"prepend", text}}; }

OrderedJson precompiled(std::string_view charsmap) { return {{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(charsmap)}}; }

OrderedJson metaspace(const char* prepend_scheme, bool split) {
  return {{"type", "Metaspace"}, {"replacement", kMetaspace}, {"prepend_scheme", prepend_scheme}, {"split", split}};
}

OrderedJson byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", trim_offsets}, {"use_regex", use_regex}};
}

OrderedJson split_matches(std::string_view regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

OrderedJson spm_decoder(Strip strip) {
  std::vector<OrderedJson> steps = {replace(kMetaspace, " "), part("ByteFallback"), part("Fuse")};
  if (strip == Strip::kFirstSpace) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return sequence("decoders", std::move(steps));
}

OrderedJson template_processor(const Template& around, const AddedTokens& tokens) {
  OrderedJson single = OrderedJson::array();
  OrderedJson special = OrderedJson::object();
  append_tokens(single, special, around.before, 0, tokens);
  single.push_back(text_of("A", 0));
  append_tokens(single, special, around.after, 0, tokens);
  OrderedJson pair = single;
  append_tokens(pair, special, around.before, around.second_type, tokens);
  pair.push_back(text_of("B", around.second_type));
  append_tokens(pair, special, around.after, around.second_type, tokens);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

}  // namespace hf2mlx

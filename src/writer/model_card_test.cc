#include "writer/model_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "writer/front_matter.h"
#include "writer/test_checkpoint.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Json kFourBit = {{"quantization", {{"bits", 4}, {"group_size", 64}, {"mode", "affine"}}}};

struct Card {
  std::string text;
  YAML::Node data;
  std::vector<std::string> notes;
};

Card card_of(const Checkpoint& checkpoint, const WriterInput& input, std::string_view source_card) {
  Card out;
  out.text = model_card(checkpoint, input, source_card, out.notes);
  const auto yaml = find_front_matter(out.text);
  if (!yaml) throw std::runtime_error("a card without metadata");
  out.data = YAML::Load(std::string(*yaml));
  return out;
}

Checkpoint hub_checkpoint() {
  Checkpoint out;
  out.name = "Qwen3-8B";
  out.organisation = "Qwen";
  out.repo_id = "Qwen/Qwen3-8B";
  out.commit = "b968826d9c46";
  return out;
}

TEST(ModelCard, ExactTextForAHubModel) {
  ConvertOptions options;
  options.command_line = "hf2mlx convert Qwen/Qwen3-8B -q";
  const WriterInput input{.options = options, .title = "Qwen3-8B-MLX", .config = kFourBit, .bits_per_weight = 4.5009};
  const Card card =
      card_of(hub_checkpoint(), input, "---\nlicense: apache-2.0\ntags:\n- chat\npipeline_tag: text2text\n---\n# Qwen\nold body\n");
  EXPECT_EQ(card.text, R"(---
license: apache-2.0
tags:
- chat
- mlx
pipeline_tag: text2text
library_name: mlx
base_model: Qwen/Qwen3-8B
base_model_relation: quantized
---

# Qwen3-8B-MLX

This model was converted to the MLX format from [Qwen/Qwen3-8B](https://huggingface.co/Qwen/Qwen3-8B) at commit `b968826d9c46`
with hf2mlx )" HF2MLX_VERSION
                       R"(.
The weights are quantized (4-bit affine, groups of 64): 4.501 bits per weight.

```bash
hf2mlx convert Qwen/Qwen3-8B -q
```

## Use with mlx-lm

```bash
pip install mlx-lm
mlx_lm.chat --model Qwen3-8B-MLX
```

```python
from mlx_lm import load, generate

model, tokenizer = load("Qwen3-8B-MLX")
prompt = "hello"
if tokenizer.chat_template is not None:
    messages = [{"role": "user", "content": prompt}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
print(generate(model, tokenizer, prompt=prompt))
```

where `Qwen3-8B-MLX` is the path of this folder.

## Use with LM Studio

Place this folder two levels below LM Studio's models folder, as `PUBLISHER/Qwen3-8B-MLX`, and pick it in LM Studio.
`hf2mlx convert --lm-studio` writes there at once.
)");
  EXPECT_THAT(card.notes, IsEmpty());
}

TEST(ModelCard, WithoutSourceCard) {
  Checkpoint checkpoint;
  checkpoint.name = "my-model";
  const ConvertOptions options;
  const Card card = card_of(checkpoint, {.options = options, .config = Json::object(), .bits_per_weight = 16}, "");
  EXPECT_EQ(find_front_matter(card.text), "library_name: mlx\ntags:\n- mlx\npipeline_tag: text-generation");
  EXPECT_THAT(card.text, HasSubstr("from a folder named `my-model`\nwith"));
  EXPECT_THAT(card.text, HasSubstr("# my-model\n"));
  EXPECT_THAT(card.text, HasSubstr("The weights are not quantized (16.000 bits per weight)."));
  EXPECT_THAT(card.notes, IsEmpty());
}

TEST(ModelCard, SourceCardWithoutMetadata) {
  const ConvertOptions options;
  const Card card = card_of(hub_checkpoint(), {.options = options, .config = Json::object()}, "# Just a title\n\n---\n\ntext\n");
  EXPECT_EQ(card.data["base_model"].Scalar(), "Qwen/Qwen3-8B");
  EXPECT_FALSE(card.data["base_model_relation"]);
  EXPECT_THAT(card.notes, IsEmpty());
}

TEST(ModelCard, BrokenMetadataIsLeftOutWithANote) {
  const ConvertOptions options;
  const Card card = card_of(hub_checkpoint(), {.options = options, .config = Json::object()}, "---\nlicense: mit\ntags: [a\n---\n");
  EXPECT_FALSE(card.data["license"]);
  EXPECT_EQ(card.data["library_name"].Scalar(), "mlx");
  EXPECT_THAT(card.notes, ElementsAre(HasSubstr("line ")));
}

TEST(ModelCard, BaseModelIsTheSourceItself) {
  const ConvertOptions options;
  const char* source = "---\nbase_model:\n- Qwen/Qwen3-8B-Base\nbase_model_relation: finetune\n---\n";
  const Card plain = card_of(hub_checkpoint(), {.options = options, .config = Json::object()}, source);
  EXPECT_EQ(plain.data["base_model"].Scalar(), "Qwen/Qwen3-8B");
  EXPECT_FALSE(plain.data["base_model_relation"]);
  EXPECT_EQ(card_of(hub_checkpoint(), {.options = options, .config = kFourBit}, source).data["base_model_relation"].Scalar(), "quantized");
}

TEST(ModelCard, UnknownSourceKeepsItsAncestor) {
  const ConvertOptions options;
  Checkpoint checkpoint;
  checkpoint.name = "local";
  const Card card = card_of(checkpoint, {.options = options, .config = kFourBit},
                            "---\nbase_model: Qwen/Qwen3-8B-Base\nbase_model_relation: finetune\n---\n");
  EXPECT_EQ(card.data["base_model"].Scalar(), "Qwen/Qwen3-8B-Base");
  EXPECT_EQ(card.data["base_model_relation"].Scalar(), "finetune");
}

TEST(ModelCard, LicenceFileIsPointedAt) {
  const ConvertOptions options;
  Checkpoint checkpoint = hub_checkpoint();
  checkpoint.side_files = {{"LICENSE.txt", "/nowhere", 10}, {"docs/LICENSE", "/nowhere", 10}};
  const WriterInput input{.options = options, .config = Json::object()};
  const Card without = card_of(checkpoint, input, "");
  EXPECT_EQ(without.data["license"].Scalar(), "other");
  EXPECT_EQ(without.data["license_link"].Scalar(), "LICENSE.txt");
  EXPECT_THAT(without.text, HasSubstr("The licence is in [LICENSE.txt](LICENSE.txt)."));
  const Card with = card_of(checkpoint, input, "---\nlicense: mit\n---\n");
  EXPECT_EQ(with.data["license"].Scalar(), "mit");
  EXPECT_FALSE(with.data["license_link"]);

  checkpoint.side_files = {{"docs/LICENSE", "/nowhere", 10}, {"LICENSES_third_party", "/nowhere", 10}};
  EXPECT_FALSE(card_of(checkpoint, input, "").data["license"]);
}

TEST(ModelCard, SaysWhereLayersDiffer) {
  const ConvertOptions options;
  Json config = kFourBit;
  config["quantization"]["lm_head"] = {{"bits", 6}, {"group_size", 64}};
  EXPECT_THAT(card_of(hub_checkpoint(), {.options = options, .config = config}, "").text,
              HasSubstr("(4-bit affine, groups of 64; some layers differ, see `config.json`)"));
  config["quantization"]["lm_head"] = false;
  EXPECT_THAT(card_of(hub_checkpoint(), {.options = options, .config = config}, "").text, Not(HasSubstr("some layers differ")));
}

TEST(ModelCard, CommandLineCannotLeaveItsBlock) {
  ConvertOptions options;
  options.command_line = "hf2mlx convert 'a```b'";
  EXPECT_THAT(card_of(hub_checkpoint(), {.options = options, .config = Json::object()}, "").text,
              HasSubstr("\n````bash\nhf2mlx convert 'a```b'\n````\n"));
}

}  // namespace
}  // namespace hf2mlx

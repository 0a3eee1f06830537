// See swift_models.h. The model types are the keys of LLMTypeRegistry (Libraries/MLXLLM/LLMModelFactory.swift) and VLMTypeRegistry
// (Libraries/MLXVLM/VLMModelFactory.swift).
#include "verify/swift_models.h"

#include <algorithm>
#include <array>

namespace hf2mlx {
namespace {

constexpr std::array<std::string_view, 76> kModelTypes = {"acereason",
                                                          "afmoe",
                                                          "apertus",
                                                          "baichuan_m1",
                                                          "bailing_moe",
                                                          "bitnet",
                                                          "cohere",
                                                          "deepseek_v2",
                                                          "deepseek_v3",
                                                          "ernie4_5",
                                                          "exaone4",
                                                          "falcon_h1",
                                                          "fastvlm",
                                                          "gemma",
                                                          "gemma2",
                                                          "gemma3",
                                                          "gemma3_text",
                                                          "gemma3n",
                                                          "gemma4",
                                                          "gemma4_text",
                                                          "gemma4_unified",
                                                          "glm4",
                                                          "glm4_moe",
                                                          "glm4_moe_lite",
                                                          "glm_ocr",
                                                          "gpt_oss",
                                                          "granite",
                                                          "granitemoehybrid",
                                                          "helium",
                                                          "hunyuan_v1_dense",
                                                          "idefics3",
                                                          "internlm2",
                                                          "jamba",
                                                          "lfm2",
                                                          "lfm2-vl",
                                                          "lfm2_moe",
                                                          "lfm2_vl",
                                                          "lille-130m",
                                                          "llama",
                                                          "llava_qwen2",
                                                          "mamba2",
                                                          "mimo",
                                                          "mimo_v2_flash",
                                                          "minicpm",
                                                          "minimax",
                                                          "mistral",
                                                          "mistral3",
                                                          "mixtral",
                                                          "muse_glimmer",
                                                          "nanbeige",
                                                          "nanochat",
                                                          "nemotron_h",
                                                          "nemotron_labs_diffusion",
                                                          "olmo2",
                                                          "olmo3",
                                                          "olmoe",
                                                          "openelm",
                                                          "paligemma",
                                                          "phi",
                                                          "phi3",
                                                          "phimoe",
                                                          "pixtral",
                                                          "qwen2",
                                                          "qwen2_5_vl",
                                                          "qwen2_vl",
                                                          "qwen3",
                                                          "qwen3_5",
                                                          "qwen3_5_moe",
                                                          "qwen3_5_text",
                                                          "qwen3_moe",
                                                          "qwen3_next",
                                                          "qwen3_vl",
                                                          "qwen3_vl_moe",
                                                          "smollm3",
                                                          "smolvlm",
                                                          "starcoder2"};
static_assert(std::is_sorted(kModelTypes.begin(), kModelTypes.end()));

}  // namespace

bool has_swift_model(std::string_view model_type) { return std::binary_search(kModelTypes.begin(), kModelTypes.end(), model_type); }

}  // namespace hf2mlx

/// \file What can be asked of a conversion. Plain structs; the program and the bindings fill the same ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hf2mlx {

/// How the Hugging Face hub is reached.
struct HubOptions {
  std::string endpoint;                ///< "https://huggingface.co"; empty: nothing is ever downloaded
  std::string token;                   ///< for private and gated models; may be empty
  bool offline = false;                ///< what is here must do
  unsigned timeout_seconds = 10;       ///< to connect, and without a single byte
  std::filesystem::path ca_file = {};  ///< certificates (PEM) of those who may vouch for the hub; empty: the system's
};

/// Where a model comes from.
struct SourceOptions {
  std::string model;                ///< a folder, or org/name in the Hugging Face cache
  std::string revision;             ///< branch, tag or commit of a cache entry; empty: main
  std::filesystem::path cache_dir;  ///< the Hugging Face hub cache; empty: cache entries are not looked for
  std::string arch;                 ///< read the checkpoint as this model type; empty: as config.json says
  std::filesystem::path arch_dir;   ///< folder of further architecture descriptions, looked at first; may be empty
  HubOptions hub = {};              ///< where convert() gets what the cache lacks
};

/// Bits for each layer so that the model fits: chosen by what is measured to cost least. One of the first two.
struct BudgetOptions {
  double bits_per_weight = 0;           ///< of the whole model, as Report has it; 0: no such budget
  uint64_t size_bytes = 0;              ///< of the weight files; 0: no such budget
  std::vector<std::string> candidates;  ///< BITS[:GROUP[:MODE]] that a layer may get; empty: 2 3 4 5 6 8 in groups of 64
  std::filesystem::path sensitivity;    ///< what was measured: read if it is of this source, else written; empty: forgotten
  bool wanted() const { return bits_per_weight > 0 || size_bytes > 0; }
};

/// A layer that may be quantized, as a LayerPredicate sees it.
struct LayerInfo {
  std::string path;             ///< "model.layers.0.mlp.up_proj"
  std::string role;             ///< linear embedding switch multilinear
  std::vector<uint64_t> shape;  ///< of its weight: [out, in]; [rows, dims]; [experts, out, in]; [heads, in, out]
  bool has_bias = false;
};

/// What becomes of a layer. With kStated, what is not stated is MLX's default: affine, and bits and group size of the mode; config.json
/// says of the layer what is stated, and no more.
struct LayerChoice {
  enum class Kind {
    kDefault,  ///< as the other options say
    kKeep,     ///< it is not quantized
    kStated,   ///< as the fields below say, one of them at least
  };
  Kind kind = Kind::kDefault;
  std::optional<uint32_t> bits = {};
  std::optional<uint32_t> group_size = {};
  std::optional<std::string> mode = {};
};

/// Decides in place of a recipe and of the model's own rules. Asked once for each layer that can be quantized and whose rows the group size
/// divides, in the order of the model, before any weight is read, on one thread. What it throws leaves the call as it is.
using LayerPredicate = std::function<LayerChoice(const LayerInfo&)>;

/// A LayerPredicate that knows its answers; of layers that it does not name it says kDefault.
struct LayerChoices {
  std::map<std::string, LayerChoice> by_path;
  LayerChoice operator()(const LayerInfo& layer) const {
    const auto at = by_path.find(layer.path);
    return at == by_path.end() ? LayerChoice{} : at->second;
  }
};

/// What the weights become. Names, meaning and defaults are those of mlx_lm.convert.
struct QuantOptions {
  bool quantize = false;
  bool dequantize = false;
  bool requantize = false;             ///< with quantize: layers that the source has quantized are decoded and encoded anew
  std::optional<uint32_t> bits;        ///< 2 3 4 5 6 8; default of the mode otherwise
  std::optional<uint32_t> group_size;  ///< 32 64 128; default of the mode otherwise
  std::string mode = "affine";         ///< affine mxfp4 nvfp4 mxfp8
  std::string recipe;                  ///< mixed_2_6 mixed_3_4 mixed_3_6 mixed_4_6, or empty
  LayerPredicate predicate;            ///< in place of a recipe; may be empty
  std::string dtype;                   ///< float16 bfloat16 float32, or empty: as config.json says
  std::string fit;                     ///< fast best: search for scales and codes with less error, or empty: round to nearest
  std::string lattice;                 ///< q4_0: as llama.cpp rounds, for models trained for that; 4 bit in groups of 32. Or empty
  std::vector<std::string> overrides;  ///< PATTERN=SPEC, last match wins; SPEC is BITS[:GROUP[:MODE]] or keep
  std::filesystem::path imatrix;       ///< an importance matrix of llama.cpp: what each column counts in a fit; fast where none is named
  BudgetOptions budget;
};

struct ConvertOptions {
  SourceOptions source;
  QuantOptions quant;
  std::filesystem::path output = "mlx_model";
  bool stream = false;                    ///< a model of the hub is converted while it arrives, and never stored
  bool force = false;                     ///< replace an existing target, at the end and only on success
  bool sync = false;                      ///< wait until a new target is on the disk; one that replaces another always is
  bool checksums = false;                 ///< SHA-256 of weight files in hf2mlx.json even of more than 512 MB
  unsigned threads = 0;                   ///< 0: one for each core
  uint64_t max_memory_bytes = 0;          ///< for buffers; 0: 32 MB, and 8 MB for each thread
  uint64_t max_shard_bytes = 5ull << 30;  ///< UINT64_MAX: a single file
  bool fix_eos = false;                   ///< config files name every token that ends a text, whichever file of the source knows it
  std::string command_line;               ///< for the model card; may be empty
  std::string title;                      ///< of the model card: org/name where it is published; empty: the folder's name
};

/// One of several models that are made of one source at once.
struct Variant {
  QuantOptions quant;
  std::filesystem::path output;
};

}  // namespace hf2mlx

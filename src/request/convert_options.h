// The options of convert and plan: those of mlx_lm.convert with their meaning and defaults, and our own.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hf2mlx/places.h"
#include "request/options.h"

namespace hf2mlx {

struct ConvertArguments {
  SourceArguments source;
  QuantOptions quant;  // but for bits
  std::string bits;    // a number, or several with commas between
  std::string imatrix;
  std::string target_bpw;
  std::string target_size;
  std::string candidates;  // with commas between
  std::string sensitivity;
  std::vector<std::string> variants;
  std::vector<std::string> outputs;      // more than one is an error
  std::optional<std::string> lm_studio;  // given, perhaps without a publisher
  std::string name_template;
  std::optional<unsigned> threads;
  std::string max_memory;
  std::string max_shard_size;
  std::string upload_repo;
  bool single_file = false;
  bool stream = false;
  bool force = false;
  bool sync = false;
  bool checksums = false;
  bool fix_eos = false;
  bool trust_remote_code = false;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

void declare_convert(CLI::App& app, ConvertArguments& arguments);

// "--lm-studio org/name": what follows is the model, since a publisher is one plain folder name.
ConvertArguments untangled(ConvertArguments arguments);

// Of untangled arguments. Throws Error{kUsage} for options that contradict each other. Outputs of several variants and of --lm-studio are
// still to be found: see variants.h.
ConvertOptions convert_options(const ConvertArguments& arguments, const Places& places);

// Options that were given and change nothing.
std::vector<std::string> idle_options(const ConvertArguments& arguments);

}  // namespace hf2mlx

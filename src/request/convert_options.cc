// See convert_options.h.
#include "request/convert_options.h"

#include <fmt/format.h>

#include <cstdlib>
#include <limits>

#include "hf2mlx/error.h"
#include "request/override_file.h"
#include "request/text.h"
#include "request/variants.h"

namespace hf2mlx {
namespace {

constexpr const char* kExamples = R"(Examples:
  hf2mlx convert Qwen/Qwen3-8B -q                      4 bits a weight, written to ./mlx_model
  hf2mlx convert Qwen/Qwen3-8B -q --q-bits 8 out       8 bits, written to ./out
  hf2mlx convert ~/models/mine -q --lm-studio me       into LM Studio's folder, as me/mine-MLX
  hf2mlx convert Qwen/Qwen3-8B -q --q-override 'lm_head=8' --q-override '*.mlp.*=3:64'
)";

void declare_output(CLI::App& app, ConvertArguments& arguments) {
  const auto group = [](CLI::Option* option) { option->group("Where to"); };
  group(add_repeatable(app, "--mlx-path,--output,OUT", arguments.outputs, "OUT", "the folder to write (default: mlx_model)"));
  CLI::Option* lm_studio = app.add_option_function<std::string>(
      "--lm-studio", [&arguments](const std::string& publisher) { arguments.lm_studio = publisher; },
      "write into LM Studio's models folder, under PUBLISHER (default: the model's organisation)");
  group(lm_studio->type_name("PUBLISHER")->expected(0, 1)->take_last());
  group(add_value(app, "--name", arguments.name_template, "TEMPLATE",
                  "with --lm-studio, what to call the model; {model}, {bits}, {mode} and {group} are filled in (default: {model}-MLX)"));
  group(app.add_flag("--force", arguments.force, "replace OUT if it exists: at the very end, and only if all went well"));
  group(
      app.add_flag("--sync", arguments.sync, "wait until all of a new OUT is on the disk; where an old one is replaced this is always so"));
  group(app.add_flag("--checksums", arguments.checksums,
                     "hash weights of more than 512 MB for hf2mlx.json, too: about half a second more for each GB"));
  group(add_value(app, "--max-shard-size", arguments.max_shard_size, "SIZE", "begin another weight file beyond this size (default: 5GB)"));
  group(app.add_flag("--single-file", arguments.single_file, "write all weights to one file, however large"));
  group(add_value(app, "--upload-repo", arguments.upload_repo, "REPO", "then upload the result to org/name on the Hugging Face hub"));
}

std::string refuse_unless_numbers(const std::string& value) {
  for (const std::string& part : split(value, ',')) {
    if (const std::string why = refuse_unless_whole_number(part); !why.empty()) return why;
  }
  return {};
}

void declare_quantization(CLI::App& app, ConvertArguments& arguments) {
  QuantOptions& quant = arguments.quant;
  const auto group = [](CLI::Option* option) { option->group("Weights"); };
  group(app.add_flag("-q,--quantize", quant.quantize, "quantize: 4 bits a weight unless said otherwise"));
  group(add_value(app, "--q-bits", arguments.bits, "N",
                  "bits a weight: 2, 3, 4, 5, 6 or 8 (default: 4, or what the mode asks for); 4,8 makes two models, OUT-4bit and OUT-8bit")
            ->check(refuse_unless_numbers));
  group(add_number(app, "--q-group-size", quant.group_size,
                   "weights that share a scale: 32, 64 or 128 (default: 64, or what the mode asks for)"));
  group(add_choice(app, "--q-mode", quant.mode, "affine|mxfp4|nvfp4|mxfp8", "how weights are quantized (default: affine)"));
  group(add_choice(app, "--quant-predicate", quant.recipe, "mixed_2_6|mixed_3_4|mixed_3_6|mixed_4_6",
                   "more bits for the layers that need them most, fewer for the others"));
  group(add_repeatable(
      app, "--q-override", quant.overrides, "PATTERN=SPEC",
      "layers that PATTERN matches get SPEC: BITS, BITS:GROUP, BITS:GROUP:MODE, or keep; the last match counts; @FILE reads a "
      "JSON object of them"));
  group(
      add_repeatable(app, "--variant", arguments.variants, "SPEC",
                     "one of several models made while the weights are read once: BITS, BITS:GROUP, BITS:GROUP:MODE, a mode, a recipe, or "
                     "none; written to OUT-4bit, OUT-mxfp4 and so on"));
  group(app.add_flag("--requantize", quant.requantize,
                     "with -q: encode anew what is quantized in the source, which otherwise stays as it is"));
  group(add_choice(app, "--dtype", quant.dtype, "float16|bfloat16|float32",
                   "type of the weights that are not quantized (default: what config.json says, else as they are)"));
  group(app.add_flag("-d,--dequantize", quant.dequantize, "turn a quantized model back into a full one"));
}

void declare_budget(CLI::App& app, ConvertArguments& arguments) {
  const auto group = [](CLI::Option* option) { option->group("Less error at the same size"); };
  group(add_choice(app, "--q-fit", arguments.quant.fit, "fast|best",
                   "choose scales and codes for the least error instead of rounding to nearest: same format, same size; best takes longer "
                   "(default: fast)")
            ->expected(0, 1));
  group(add_choice(app, "--q-lattice", arguments.quant.lattice, "q4_0",
                   "scales and codes of llama.cpp's Q4_0, for models trained for it (QAT): 4 bits in groups of 32"));
  group(add_value(app, "--imatrix", arguments.imatrix, "FILE",
                  "an importance matrix of llama.cpp (GGUF or .dat): errors count as much as the column is used; implies --q-fit"));
  group(add_value(app, "--target-bpw", arguments.target_bpw, "X",
                  "choose bits for each layer so that the model has at most X bits per weight, with the least error; implies -q"));
  group(add_value(app, "--target-size", arguments.target_size, "SIZE", "the same for the size of the weight files, such as 12GB"));
  group(add_value(app, "--q-candidates", arguments.candidates, "LIST",
                  "what layers may get under a target: BITS, BITS:GROUP or BITS:GROUP:MODE, with commas between (default: "
                  "2:64,3:64,4:64,5:64,6:64,8:64)"));
  group(add_value(app, "--sensitivity", arguments.sensitivity, "FILE",
                  "keep what was measured for a target: read if FILE is of this model and these options, else written"));
}

void declare_files(CLI::App& app, ConvertArguments& arguments) {
  app.add_flag("--fix-eos", arguments.fix_eos,
               "name every token that ends a text in config.json and generation_config.json, whichever file of the source knows it")
      ->group("Files");
}

void declare_resources(CLI::App& app, ConvertArguments& arguments) {
  const auto group = [](CLI::Option* option) { option->group("Speed and memory"); };
  group(add_number(app, "--threads", arguments.threads, "threads (default: one for each core); the result is the same for any number"));
  group(add_value(app, "--max-memory", arguments.max_memory, "SIZE", "memory for buffers (default: 32MB, and 8MB for each thread)"));
}

void declare_reporting(CLI::App& app, ConvertArguments& arguments) {
  const auto group = [](CLI::Option* option) { option->group("Output"); };
  group(app.add_flag("--dry-run", arguments.dry_run, "say what would be written, and write nothing; the same as hf2mlx plan"));
  group(app.add_flag("--json", arguments.json, "print one JSON object"));
  group(app.add_flag("--quiet", arguments.quiet, "print nothing but errors"));
}

[[noreturn]] void contradiction(const std::string& message, const std::string& hint) { throw Error(ErrorCode::kUsage, message, hint); }

void check_variants(const ConvertArguments& a) {
  if (!a.variants.empty() && a.quant.dequantize) contradiction("--variant and --dequantize contradict each other", "choose one of them");
  if (!a.variants.empty() && !a.bits.empty()) {
    contradiction("--variant and --q-bits both say how many bits", "leave out --q-bits");
  }
  if (asks_for_variants(a) && !a.quant.recipe.empty()) {
    contradiction("--quant-predicate chooses the bits itself, and several are named",
                  "a recipe can be one of several: --variant " + a.quant.recipe);
  }
}

bool has_target(const ConvertArguments& a) { return !a.target_bpw.empty() || !a.target_size.empty(); }

void check_budget(const ConvertArguments& a) {
  if (!has_target(a)) {
    if (a.candidates.empty() && a.sensitivity.empty()) return;
    contradiction(fmt::format("{} is for a target", a.candidates.empty() ? "--sensitivity" : "--q-candidates"),
                  "--target-bpw X or --target-size SIZE names one");
  }
  if (!a.target_bpw.empty() && !a.target_size.empty()) contradiction("--target-bpw and --target-size are both named", "choose one of them");
  if (a.stream && !a.dry_run) contradiction("a target reads all weights twice, and --stream reads them once", "leave out --stream");
  if (a.quant.dequantize) contradiction("a target and --dequantize contradict each other", "choose one of them");
  const bool chosen = !a.bits.empty() || a.quant.group_size || a.quant.mode != QuantOptions{}.mode || !a.quant.recipe.empty() ||
                      a.quant.predicate || !a.quant.lattice.empty();
  if (chosen || asks_for_variants(a)) {
    contradiction("a target chooses the bits of each layer itself, and other options choose them too",
                  "leave out --q-bits, --q-group-size, --q-mode, --q-lattice, --quant-predicate and --variant; --q-candidates says what "
                  "layers may get, --q-override settles single layers");
  }
}

BudgetOptions budget_options(const ConvertArguments& a) {
  BudgetOptions budget;
  if (!a.target_bpw.empty()) {
    char* end = nullptr;
    budget.bits_per_weight = std::strtod(a.target_bpw.c_str(), &end);
    if (*end != '\0' || !(budget.bits_per_weight > 0 && budget.bits_per_weight <= 32))
      contradiction(fmt::format("--target-bpw: '{}' found, a number of bits expected", a.target_bpw), "for example --target-bpw 4.5");
  }
  if (!a.target_size.empty()) budget.size_bytes = parse_size(a.target_size, "--target-size");
  if (!a.candidates.empty()) budget.candidates = split(a.candidates, ',');
  budget.sensitivity = a.sensitivity;
  return budget;
}

void check_contradictions(const ConvertArguments& a) {
  if (!a.upload_repo.empty() && asks_for_variants(a)) {
    contradiction("--upload-repo: several models cannot go to one repository", "make one at a time, or use hf2mlx upload afterwards");
  }
  if (a.quant.quantize && a.quant.dequantize) {
    contradiction("--quantize and --dequantize contradict each other", "choose one of them");
  }
  check_variants(a);
  check_budget(a);
  if (a.outputs.size() > 1) {
    contradiction(fmt::format("two output folders are named: '{}' and '{}'", a.outputs[0], a.outputs[1]),
                  "OUT, --mlx-path and --output are names of the same thing; give one");
  }
  if (!a.outputs.empty() && a.outputs.front().empty()) contradiction("OUT is empty", "name a folder");
  if (a.lm_studio && !a.outputs.empty()) {
    contradiction(fmt::format("--lm-studio chooses the folder itself, and '{}' names another", a.outputs.front()),
                  "leave out one of them; --lm-studio PUBLISHER --name TEMPLATE choose the folder's name");
  }
  if (!a.name_template.empty() && !a.lm_studio) {
    contradiction("--name is for --lm-studio", "name the folder itself: hf2mlx convert MODEL OUT");
  }
  if (a.single_file && !a.max_shard_size.empty()) {
    contradiction("--single-file and --max-shard-size contradict each other", "choose one of them");
  }
}

unsigned thread_count(const std::optional<unsigned>& asked) {
  constexpr unsigned kMost = 1024;
  if (asked && *asked > kMost)
    contradiction(fmt::format("--threads: {} is too many, expected at most {}", *asked, kMost), "one for each core is best");
  return asked.value_or(0);
}

QuantOptions quant_options(const ConvertArguments& arguments) {
  QuantOptions quant = arguments.quant;
  quant.overrides = expand_overrides(quant.overrides);
  quant.imatrix = arguments.imatrix;
  quant.budget = budget_options(arguments);
  quant.quantize = quant.quantize || quant.budget.wanted();
  const std::vector<std::string> bits = split(arguments.bits, ',');
  if (!arguments.bits.empty() && bits.size() == 1) quant.bits = static_cast<uint32_t>(std::stoul(bits.front()));
  return quant;
}

}  // namespace

void declare_convert(CLI::App& app, ConvertArguments& arguments) {
  declare_source(app, arguments.source);
  app.add_flag("--trust-remote-code", arguments.trust_remote_code, "accepted and without effect: no code of a model is ever executed")
      ->group("Model");
  app.add_flag("--stream", arguments.stream, "convert a model of the hub while it arrives, and never store the original")->group("Model");
  declare_output(app, arguments);
  declare_quantization(app, arguments);
  declare_budget(app, arguments);
  declare_files(app, arguments);
  declare_resources(app, arguments);
  declare_reporting(app, arguments);
  app.footer(kExamples);
}

ConvertArguments untangled(ConvertArguments arguments) {
  const bool took_the_model = arguments.lm_studio && arguments.source.models.empty() && arguments.lm_studio->find('/') != std::string::npos;
  if (!took_the_model) return arguments;
  arguments.source.models.push_back(*arguments.lm_studio);
  arguments.lm_studio = "";
  return arguments;
}

ConvertOptions convert_options(const ConvertArguments& arguments, const Places& places) {
  check_contradictions(arguments);
  ConvertOptions options;
  options.source = source_options(arguments.source, places);
  options.quant = quant_options(arguments);
  if (!arguments.outputs.empty()) options.output = arguments.outputs.front();
  options.stream = arguments.stream;
  options.force = arguments.force;
  options.sync = arguments.sync;
  options.checksums = arguments.checksums;
  options.fix_eos = arguments.fix_eos;
  options.threads = thread_count(arguments.threads);
  if (!arguments.max_memory.empty()) options.max_memory_bytes = parse_size(arguments.max_memory, "--max-memory");
  if (!arguments.max_shard_size.empty()) options.max_shard_bytes = parse_size(arguments.max_shard_size, "--max-shard-size");
  if (arguments.single_file) options.max_shard_bytes = std::numeric_limits<uint64_t>::max();
  return options;
}

std::vector<std::string> idle_options(const ConvertArguments& arguments) {
  std::vector<std::string> notes;
  const QuantOptions& quant = arguments.quant;
  std::vector<std::string> idle;
  if (!arguments.bits.empty()) idle.push_back("--q-bits");
  if (quant.group_size) idle.push_back("--q-group-size");
  if (quant.mode != QuantOptions{}.mode) idle.push_back("--q-mode");
  if (!quant.recipe.empty()) idle.push_back("--quant-predicate");
  if (!quant.fit.empty()) idle.push_back("--q-fit");
  if (!quant.lattice.empty()) idle.push_back("--q-lattice");
  if (!arguments.imatrix.empty()) idle.push_back("--imatrix");
  if (!quant.overrides.empty()) idle.push_back("--q-override");
  if (quant.requantize) idle.push_back("--requantize");
  if (!quant.quantize && !has_target(arguments) && arguments.variants.empty() && !idle.empty())
    notes.push_back(join(idle, ", ") + ": no effect without --quantize");
  if (arguments.trust_remote_code) notes.push_back("--trust-remote-code: no effect, no code of a model is ever executed");
  return notes;
}

}  // namespace hf2mlx

// See variants.h.
#include "request/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hf2mlx/error.h"
#include "quant/codec.h"
#include "quant/lattice.h"
#include "request/text.h"
#include "writer/lm_studio.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

Encoding encoding_of(const QuantOptions& quant) {
  if (!quant.lattice.empty()) return kLatticeEncoding;
  Encoding e = default_encoding(quant_mode_from_name(quant.mode).value_or(QuantMode::kAffine));
  // As mlx_lm has it, 0 means the default too.
  if (quant.bits.value_or(0) != 0) e.bits = *quant.bits;
  if (quant.group_size.value_or(0) != 0) e.group_size = *quant.group_size;
  return e;
}

// BITS[:GROUP[:MODE]], a mode, a recipe, or none; what it leaves out is as the other options say.
QuantOptions quant_of(const std::string& spec, const QuantOptions& base) {
  QuantOptions quant = base;
  quant.quantize = spec != "none";
  if (!quant.quantize) return quant;
  if (quant_mode_from_name(spec)) {
    quant.mode = spec;
    return quant;
  }
  if (spec.starts_with("mixed_")) {
    quant.recipe = spec;
    return quant;
  }
  const std::vector<std::string> parts = split(spec, ':');
  const bool well_formed = parts.size() <= 3 && refuse_unless_whole_number(parts[0]).empty() &&
                           (parts.size() < 2 || refuse_unless_whole_number(parts[1]).empty());
  if (!well_formed) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--variant: '{}' found, BITS, BITS:GROUP, BITS:GROUP:MODE, a mode, a recipe or none expected", spec));
  }
  quant.bits = static_cast<uint32_t>(std::stoul(parts[0]));
  if (parts.size() > 1) quant.group_size = static_cast<uint32_t>(std::stoul(parts[1]));
  if (parts.size() > 2) quant.mode = parts[2];
  return quant;
}

std::vector<QuantOptions> quants_of(const ConvertArguments& arguments, const QuantOptions& base) {
  if (!asks_for_variants(arguments)) return {base};
  std::vector<QuantOptions> quants;
  for (const std::string& spec : arguments.variants.empty() ? split(arguments.bits, ',') : arguments.variants)
    quants.push_back(quant_of(spec, base));
  return quants;
}

fs::path labelled(const fs::path& folder, const std::string& label) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  fs::path out = whole.has_filename() ? whole : whole.parent_path();
  out += "-" + label;
  return out;
}

NameFields name_fields(const QuantOptions& quant, const std::string& model) {
  NameFields fields{.model = model, .bits = {}, .mode = {}, .group_size = {}};
  // A recipe mixes several numbers of bits, so it has none to name.
  if (!quant.quantize || !quant_mode_from_name(quant.mode)) return fields;
  const Encoding encoding = encoding_of(quant);
  fields.mode = quant.mode;
  fields.group_size = std::to_string(encoding.group_size);
  if (quant.recipe.empty()) fields.bits = std::to_string(encoding.bits);
  return fields;
}

}  // namespace

std::string label_of(const QuantOptions& quant) {
  if (!quant.quantize) return quant.dtype.empty() ? "unquantized" : quant.dtype;
  if (!quant.recipe.empty()) return quant.recipe;
  const Encoding e = encoding_of(quant);
  if (e.mode != QuantMode::kAffine) return std::string(name_of(e.mode));
  if (!quant.lattice.empty()) return quant.lattice;
  const bool usual = e.group_size == default_encoding(e.mode).group_size;
  return usual ? fmt::format("{}bit", e.bits) : fmt::format("{}bit-g{}", e.bits, e.group_size);
}

bool asks_for_variants(const ConvertArguments& arguments) {
  return !arguments.variants.empty() || (arguments.quant.quantize && arguments.bits.find(',') != std::string::npos);
}

std::vector<Variant> variants_of(const ConvertArguments& arguments, const ConvertOptions& options) {
  if (!asks_for_variants(arguments)) return {{options.quant, options.output}};
  std::vector<Variant> variants;
  for (const QuantOptions& quant : quants_of(arguments, options.quant))
    variants.push_back({quant, labelled(options.output, label_of(quant))});
  return variants;
}

std::vector<Variant> lm_studio_variants(const ConvertArguments& arguments, const ConvertOptions& options, const Places& places,
                                        const std::string& organisation, const std::string& model) {
  const std::string name_template = arguments.name_template.empty() ? kDefaultNameTemplate : arguments.name_template;
  const std::vector<QuantOptions> quants = quants_of(arguments, options.quant);
  std::vector<std::string> names;
  for (const QuantOptions& quant : quants) names.push_back(format_name(name_template, name_fields(quant, model)));
  const bool tell_apart = std::set<std::string>(names.begin(), names.end()).size() < names.size();
  const fs::path models = lm_studio_models(places.home);
  std::vector<Variant> variants;
  for (size_t i = 0; i < quants.size(); ++i) {
    const std::string name = tell_apart ? names[i] + "-" + label_of(quants[i]) : names[i];
    variants.push_back({quants[i], lm_studio_target(models, arguments.lm_studio.value_or(""), organisation, name)});
  }
  return variants;
}

}  // namespace hf2mlx

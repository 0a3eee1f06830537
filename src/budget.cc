// See budget.h.
#include "budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "hf2mlx/error.h"
#include "pipeline/measure.h"
#include "plan/budget.h"
#include "plan/layer_purpose.h"
#include "plan/planner.h"
#include "plan/policy.h"
#include "sensitivity.h"

namespace hf2mlx {
namespace {

std::vector<Encoding> candidates_of(const BudgetOptions& budget) {
  const std::vector<std::string> defaults = {"2:64", "3:64", "4:64", "5:64", "6:64", "8:64"};
  std::vector<Encoding> out;
  for (const std::string& spec : budget.candidates.empty() ? defaults : budget.candidates) {
    const Encoding e = parse_encoding(spec, "--q-candidates");
    if (std::find(out.begin(), out.end(), e) == out.end()) out.push_back(e);
  }
  return out;
}

// As mlx_lm would quantize, but in the smallest groups, so that no layer is left out that some candidate fits.
QuantOptions open_options(const QuantOptions& quant, const std::vector<Encoding>& candidates) {
  QuantOptions open = quant;
  open.quantize = true;
  const auto finest = std::min_element(candidates.begin(), candidates.end(),
                                       [](const Encoding& a, const Encoding& b) { return a.group_size < b.group_size; });
  open.bits = finest->bits;
  open.group_size = finest->group_size;
  open.mode = std::string(name_of(finest->mode));
  return open;
}

// A layer that a choice is to be made for.
struct Candidates {
  const OpenLayer* layer;
  const Step* step;
  LayerTraits traits;
  std::vector<Encoding> encodings;
};

uint64_t encoded_bytes(const Encoding& e, const LazyTensor& value) {
  const uint64_t elements = element_count(value.shape());
  const uint64_t scale = groups(e, elements) * size_of(scale_dtype(e, value.dtype()));
  return packed_words(e, elements) * 4 + scale * (has_biases(e) ? 2 : 1);
}

std::vector<Candidates> candidates_for(const Plan& plan, const std::vector<Encoding>& encodings) {
  std::vector<Candidates> out;
  for (const OpenLayer& layer : plan.open_layers) {
    Candidates c{&layer, &plan.steps[layer.step], traits_of(layer.purpose), {}};
    const uint64_t cols = cols_of(c.step->value->shape());
    std::vector<Encoding> fitting;
    for (const Encoding& e : encodings) {
      if (cols % e.group_size == 0) fitting.push_back(e);
    }
    const auto most =
        std::max_element(fitting.begin(), fitting.end(), [](const Encoding& a, const Encoding& b) { return a.bits < b.bits; });
    const uint32_t floor = std::min(c.traits.least_bits, most->bits);
    std::copy_if(fitting.begin(), fitting.end(), std::back_inserter(c.encodings), [&](const Encoding& e) { return e.bits >= floor; });
    out.push_back(std::move(c));
  }
  return out;
}

bool knows_all(const Sensitivity& known, const std::vector<Candidates>& layers) {
  return std::all_of(layers.begin(), layers.end(), [&](const Candidates& c) {
    const auto errors = known.layers.find(c.layer->path);
    return errors != known.layers.end() &&
           std::all_of(c.encodings.begin(), c.encodings.end(), [&](const Encoding& e) { return errors->second.count(spec_of(e)) > 0; });
  });
}

Sensitivity measure(const std::vector<Candidates>& layers, const PipelineOptions& pipeline, Progress* progress, const CancelToken* cancel) {
  std::vector<Step> steps;
  for (const Candidates& c : layers) {
    for (const Encoding& e : c.encodings) {
      steps.push_back(*c.step);
      steps.back().encoding = e;
    }
  }
  const std::vector<Loss> losses = measure_losses(steps, pipeline, progress, cancel);
  Sensitivity out;
  auto loss = losses.begin();
  for (const Candidates& c : layers) {
    for (const Encoding& e : c.encodings) {
      const double values = loss->value_squares;
      out.layers[c.layer->path][spec_of(e)] = values > 0 ? loss->error_squares / values : 0;
      ++loss;
    }
  }
  return out;
}

std::vector<BudgetLayer> budget_layers(const std::vector<Candidates>& layers, uint64_t blocks, const Sensitivity& known) {
  std::vector<BudgetLayer> out;
  for (const Candidates& c : layers) {
    BudgetLayer layer{c.layer->path, {}};
    for (const Encoding& e : c.encodings) {
      const double relative = known.layers.at(c.layer->path).at(spec_of(e));
      layer.options.push_back({e, encoded_bytes(e, *c.step->value), c.traits.sensitivity(blocks) * relative});
    }
    out.push_back(std::move(layer));
  }
  return out;
}

uint64_t file_bytes(const Plan& plan) {
  uint64_t total = 0;
  for (const Shard& shard : plan.shards) total += shard.size_bytes;
  return total;
}

// Looks for the assignment that spends a budget, and for its neighbours.
class Chooser {
 public:
  Chooser(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options, const QuantOptions& quant)
      : checkpoint_(checkpoint), registry_(registry), options_(options), quant_(quant), candidates_(candidates_of(quant.budget)) {
    base_ = plan_of(open_options(quant_, candidates_));
    layers_ = candidates_for(base_, candidates_);
    if (layers_.empty()) {
      throw Error(ErrorCode::kUsage, "--target-bpw, --target-size: no layer is left whose bits could be chosen",
                  "--requantize chooses anew for layers that are quantized in the source");
    }
  }

  const std::vector<Candidates>& layers() const { return layers_; }

  ChosenBits choose(const Sensitivity& known) {
    budget_ = budget_layers(layers_, base_.blocks, known);
    uint64_t open_bytes = 0;
    for (const OpenLayer& layer : base_.open_layers) {
      const Step& step = base_.steps[layer.step];
      open_bytes += encoded_bytes(*step.encoding, *step.value);
    }
    fixed_bytes_ = base_.output_bytes - open_bytes;
    ChosenBits chosen = spend();
    add_frontier(chosen);
    return chosen;
  }

 private:
  Plan plan_of(const QuantOptions& quant) const { return std::move(make_plans(checkpoint_, registry_, options_, {quant}).front()); }

  uint64_t budget_bytes() const {
    if (quant_.budget.size_bytes > 0) return quant_.budget.size_bytes;
    return static_cast<uint64_t>(quant_.budget.bits_per_weight * static_cast<double>(base_.parameters) / 8);
  }

  // What counts against the budget: tensors for bits per weight, whole files for a size.
  uint64_t spent_bytes(const Plan& plan) const { return quant_.budget.size_bytes > 0 ? file_bytes(plan) : plan.output_bytes; }

  // The headers of the files depend on what is chosen, so what they take is found by trying.
  ChosenBits spend() {
    const uint64_t budget = budget_bytes();
    uint64_t reserved = fixed_bytes_;
    for (;;) {
      const std::optional<Assignment> found = reserved <= budget ? assign(budget_, budget - reserved) : std::nullopt;
      if (!found) refuse(budget, reserved);
      ChosenBits chosen{options_for(*found), {}, {}};
      const uint64_t spent = spent_bytes(plan_of(chosen.quant));
      if (spent > budget) {
        reserved += spent - budget;
        continue;
      }
      chosen_ = *found;
      note(chosen, spent, budget);
      return chosen;
    }
  }

  [[noreturn]] void refuse(uint64_t budget, uint64_t reserved) const {
    const uint64_t least = reserved + cheapest(budget_).bytes;
    const double per_weight = 8.0 / static_cast<double>(base_.parameters);
    throw Error(ErrorCode::kUsage,
                fmt::format("a budget of {} bytes ({:.3f} bits per weight) found, the candidates need at least {} ({:.3f})", budget,
                            static_cast<double>(budget) * per_weight, least, static_cast<double>(least) * per_weight),
                "raise --target-bpw or --target-size, or add smaller --q-candidates");
  }

  // What is chosen for most weights becomes the default that config.json states.
  QuantOptions options_for(const Assignment& a) const {
    QuantOptions quant = quant_;
    quant.quantize = true;
    quant.budget = {};
    std::map<std::string, uint64_t> weights;
    std::vector<std::string> overrides;
    for (size_t i = 0; i < budget_.size(); ++i) {
      const std::string spec = spec_of(budget_[i].options[a.chosen[i]].encoding);
      overrides.push_back(budget_[i].path + "=" + spec);
      weights[spec] += element_count(layers_[i].step->value->shape());
    }
    const auto most = std::max_element(weights.begin(), weights.end(), [](const auto& x, const auto& y) { return x.second < y.second; });
    const Encoding e = parse_encoding(most->first, "--q-candidates");
    quant.bits = e.bits;
    quant.group_size = e.group_size;
    quant.mode = std::string(name_of(e.mode));
    overrides.insert(overrides.end(), quant_.overrides.begin(), quant_.overrides.end());
    quant.overrides = std::move(overrides);
    return quant;
  }

  void note(ChosenBits& chosen, uint64_t spent, uint64_t budget) const {
    std::map<std::string, size_t> counts;
    for (size_t i = 0; i < budget_.size(); ++i) ++counts[spec_of(budget_[i].options[chosen_.chosen[i]].encoding)];
    std::string text;
    for (const auto& [spec, count] : counts) text += fmt::format("{}{} at {}", text.empty() ? "" : ", ", count, spec);
    chosen.notes.push_back(fmt::format("layers under the budget: {}", text));
    const double part = static_cast<double>(spent) / static_cast<double>(budget);
    if (part < 0.995)
      chosen.notes.push_back(fmt::format("{:.1f} % of the budget is spent: no candidate with less error fits the rest", 100 * part));
  }

  FrontierPoint point(const Assignment& a) const {
    const uint64_t bytes = fixed_bytes_ + a.bytes;
    double sum = 0;
    for (const Candidates& c : layers_) sum += c.traits.sensitivity(base_.blocks);
    return {bytes, 8.0 * static_cast<double>(bytes) / static_cast<double>(base_.parameters), std::sqrt(a.error / sum), false};
  }

  // Steps of a quarter bit of a weight, from the cheapest to the best.
  void add_frontier(ChosenBits& chosen) const {
    chosen.frontier = {point(chosen_)};
    chosen.frontier.back().chosen = true;
    const auto add = [&](const Assignment& a) {
      if (a.bytes != chosen_.bytes) chosen.frontier.push_back(point(a));
    };
    const uint64_t least = cheapest(budget_).bytes;
    const uint64_t most = assign(budget_, UINT64_MAX)->bytes;
    const uint64_t step = std::max<uint64_t>(base_.parameters / 32, 1);
    add(cheapest(budget_));
    add(*assign(budget_, most));
    for (uint64_t bytes = ((fixed_bytes_ + least) / step + 1) * step; bytes < fixed_bytes_ + most; bytes += step)
      add(*assign(budget_, bytes - fixed_bytes_));
    std::stable_sort(chosen.frontier.begin(), chosen.frontier.end(),
                     [](const FrontierPoint& a, const FrontierPoint& b) { return a.bytes < b.bytes; });
  }

  const Checkpoint& checkpoint_;
  const Registry& registry_;
  const ConvertOptions& options_;
  const QuantOptions& quant_;
  const std::vector<Encoding> candidates_;
  Plan base_;
  std::vector<Candidates> layers_;
  std::vector<BudgetLayer> budget_;
  uint64_t fixed_bytes_ = 0;  // of tensors that are not chosen for
  Assignment chosen_;
};

}  // namespace

ChosenBits choose_bits(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options, const QuantOptions& quant,
                       Progress* progress, const CancelToken* cancel) {
  Chooser chooser(checkpoint, registry, options, quant);
  const std::filesystem::path& file = quant.budget.sensitivity;
  const std::string source = file.empty() ? "" : measured_source(checkpoint, quant);
  std::optional<Sensitivity> known = file.empty() ? std::nullopt : read_sensitivity(file, source);
  if (known && knows_all(*known, chooser.layers())) return chooser.choose(*known);
  Sensitivity measured = measure(chooser.layers(), resolve_pipeline_options(options.threads, options.max_memory_bytes), progress, cancel);
  measured.source = source;
  if (!file.empty()) write_sensitivity(file, measured);
  return chooser.choose(measured);
}

}  // namespace hf2mlx

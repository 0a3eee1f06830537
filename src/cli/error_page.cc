// See error_page.h.
#include "cli/error_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "cli/options.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{0}: quantization error</title>
<style>
:root {{ color-scheme: light dark; --back: #fff; --text: #1c2024; --soft: #60646c; --line: #d9d9e0; --bar: #0b68cb; --mark: #b54708; --low: #e6f0fb; --high: #08306b; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --back: #16181b; --text: #edeef0; --soft: #a0a4ab; --line: #3a3e44; --bar: #70b8ff; --mark: #ffa057; --low: #1d2f45; --high: #9ccfff; }}
}}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
h2 {{ font-size: 1.1rem; margin: 2.5rem 0 .5rem; }}
h3 {{ font-size: .9rem; font-weight: 600; margin: 0 0 .2rem; overflow-wrap: anywhere; }}
p {{ color: var(--soft); margin: .3rem 0; max-width: 50rem; }}
svg {{ display: block; max-width: 100%; height: auto; }}
svg text {{ fill: var(--soft); font: 11px system-ui, sans-serif; }}
.kinds {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.2rem 1.6rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; width: 100%; }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }}
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) {{ text-align: left; }}
th {{ color: var(--soft); font-weight: 600; }}
</style>
</head>
<body>
<h1>{0}</h1>
)";

// A layer's place in the pictures.
struct Cell {
  const LayerError* error;
  std::optional<uint64_t> layer;  // its number
  std::string kind;               // its path without the number
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool is_number(const std::string& part) {
  return !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
}

// "model.layers.3.mlp.up_proj" is up_proj of layer 3; what follows a second number stays in the kind.
Cell cell_of(const LayerError& error) {
  const std::vector<std::string> parts = split(error.layer, '.');
  const auto number = std::find_if(parts.begin(), parts.end(), is_number);
  if (number == parts.end()) return {&error, std::nullopt, error.layer};
  std::string kind;
  for (auto at = number + 1; at != parts.end(); ++at) kind += (kind.empty() ? "" : ".") + *at;
  return {&error, std::stoull(*number), kind};
}

struct Kind {
  std::string name;
  std::vector<Cell> cells;  // of layers with numbers, in order
};

struct Chart {
  std::vector<Kind> kinds;  // in the order of the model
  std::vector<Cell> others;
  uint64_t layers = 0;
  double largest = 0;    // of all errors: the scale of the bars
  double most = 0;       // of the RMS errors of numbered layers: the range of the colours
  double least = 1e300;  // likewise
};

Chart chart_of(const Verification& verification) {
  Chart chart;
  std::map<std::string, size_t> position;
  for (const LayerError& error : verification.errors) {
    const Cell cell = cell_of(error);
    chart.largest = std::max({chart.largest, error.relative_rms, error.rounding_rms});
    if (!cell.layer) {
      chart.others.push_back(cell);
      continue;
    }
    chart.most = std::max(chart.most, error.relative_rms);
    chart.least = std::min(chart.least, error.relative_rms);
    const auto [at, is_new] = position.emplace(cell.kind, chart.kinds.size());
    if (is_new) chart.kinds.push_back({cell.kind, {}});
    chart.kinds[at->second].cells.push_back(cell);
    chart.layers = std::max(chart.layers, *cell.layer + 1);
  }
  return chart;
}

std::string percent(double fraction) { return fmt::format("{:.3f} %", 100 * fraction); }

std::string tip(const LayerError& error) {
  return fmt::format("<title>{}: {}, worst group {}, {}</title>", escaped(error.layer), percent(error.relative_rms),
                     percent(error.worst_group), error.encoding);
}

// From --low for the least error to --high for the most.
std::string color(double value, const Chart& chart) {
  const double range = chart.most - chart.least;
  const double share = range > 0 ? 100 * (value - chart.least) / range : 50;
  return fmt::format("color-mix(in srgb, var(--high) {:.1f}%, var(--low))", share);
}

// All kinds by all layers, the darker the larger the error.
std::string overview(const Chart& chart) {
  constexpr double kLabel = 210, kRow = 20, kTop = 20;
  const double side = std::clamp(900.0 / static_cast<double>(std::max<uint64_t>(chart.layers, 1)), 6.0, 26.0);
  const double width = kLabel + side * static_cast<double>(chart.layers) + 2;
  const double height = kTop + kRow * static_cast<double>(chart.kinds.size()) + 2;
  std::string out = fmt::format(
      R"(<div class="wide"><svg width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}" role="img" aria-label="RMS error by kind and layer">)"
      "\n",
      width, height);
  const uint64_t every = chart.layers > 40 ? 8 : chart.layers > 12 ? 4 : 1;
  for (uint64_t layer = 0; layer < chart.layers; layer += every) {
    out +=
        fmt::format(R"(<text x="{:.1f}" y="13" text-anchor="middle">{}</text>)", kLabel + side * (static_cast<double>(layer) + 0.5), layer);
  }
  for (size_t row = 0; row < chart.kinds.size(); ++row) {
    const double y = kTop + kRow * static_cast<double>(row);
    out += fmt::format("\n<text x=\"{}\" y=\"{:.0f}\" text-anchor=\"end\">{}</text>", kLabel - 8, y + 14, escaped(chart.kinds[row].name));
    for (const Cell& cell : chart.kinds[row].cells) {
      out += fmt::format(R"(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}" style="fill: {}">{}</rect>)",
                         kLabel + side * static_cast<double>(*cell.layer), y, side - 1, kRow - 1, color(cell.error->relative_rms, chart),
                         tip(*cell.error));
    }
  }
  return out + "\n</svg></div>\n";
}

// One kind: a bar for each layer, a dash where plain rounding is, on the scale of all.
std::string kind_picture(const Kind& kind, const Chart& chart) {
  constexpr double kWidth = 340, kHeight = 96, kBase = 80, kPlot = 70, kLeft = 2;
  const double step = (kWidth - kLeft) / static_cast<double>(std::max<uint64_t>(chart.layers, 1));
  const double scale = chart.largest > 0 ? kPlot / chart.largest : 0;
  std::string out = fmt::format(
      R"svg(<div><h3>{0}</h3><svg width="{1:.0f}" height="{2:.0f}" viewBox="0 0 {1:.0f} {2:.0f}" role="img" aria-label="{0}">)svg",
      escaped(kind.name), kWidth, kHeight);
  out += fmt::format(R"svg(<line x1="0" x2="{}" y1="{}" y2="{}" stroke="var(--line)"/>)svg", kWidth, kBase, kBase);
  for (const Cell& cell : kind.cells) {
    const double x = kLeft + step * static_cast<double>(*cell.layer);
    const double bar = cell.error->relative_rms * scale;
    const double plain = kBase - cell.error->rounding_rms * scale;
    out += fmt::format(R"svg(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--bar)">{}</rect>)svg", x, kBase - bar,
                       std::max(step - 1, 1.0), bar, tip(*cell.error));
    out += fmt::format(R"svg(<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="var(--mark)" stroke-width="1.5"/>)svg", x,
                       x + std::max(step - 1, 1.0), plain, plain);
  }
  const auto [least, most] = std::minmax_element(
      kind.cells.begin(), kind.cells.end(), [](const Cell& a, const Cell& b) { return a.error->relative_rms < b.error->relative_rms; });
  out += fmt::format(R"svg(<text x="0" y="93">{} to {}</text></svg></div>)svg", percent(least->error->relative_rms),
                     percent(most->error->relative_rms));
  return out + "\n";
}

std::string table(const Verification& verification) {
  std::string out =
      "<div class=\"wide\"><table>\n<thead><tr><th>Layer</th><th>Encoding</th><th>RMS error</th><th>Plain rounding</th><th>Worst group</th>"
      "<th>Zeros</th><th>Zeros before</th></tr></thead>\n<tbody>\n";
  for (const LayerError& error : verification.errors) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", escaped(error.layer),
                       escaped(error.encoding), percent(error.relative_rms), percent(error.rounding_rms), percent(error.worst_group),
                       percent(error.zeros), percent(error.source_zeros));
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string error_page(const Verification& verification) {
  const Chart chart = chart_of(verification);
  std::string out = fmt::format(kHead, escaped(verification.model));
  const std::string source = verification.comparison ? verification.comparison->source : "its source";
  out += fmt::format(
      "<p>What quantizing has changed of {}: the root mean square of the errors of a layer's weights over that of the weights.</p>\n",
      escaped(source));
  if (!chart.kinds.empty()) {
    out += fmt::format("<h2>All layers</h2>\n<p>Kinds by layers, from {} in the faintest colour to {} in the strongest.</p>\n",
                       percent(chart.least), percent(chart.most)) +
           overview(chart);
    out +=
        "<h2>Each kind</h2>\n<p>A bar for each layer, all on one scale; the line across it is where rounding every weight to the nearest "
        "code "
        "would be.</p>\n<div class=\"kinds\">\n";
    for (const Kind& kind : chart.kinds) out += kind_picture(kind, chart);
    out += "</div>\n";
  }
  out += "<h2>Every layer</h2>\n<p>The worst group is that of the weights that share a scale. Zeros are weights that are exactly 0.</p>\n";
  out += table(verification);
  return out + fmt::format("<p>hf2mlx {}</p>\n</body>\n</html>\n", HF2MLX_VERSION);
}

}  // namespace hf2mlx::cli

// See error_page.h.
#include "cli/error_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/error_pictures.h"

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
:root {{ color-scheme: light dark; --back: #fff; --text: #1c2024; --soft: #60646c; --line: #e0e1e6; --bar: #3b82c4; --mark: #c2410c; --low: #e6f0fb; --high: #08306b; --here: #fff7d6; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --back: #16181b; --text: #edeef0; --soft: #a0a4ab; --line: #32363c; --bar: #5b9bd5; --mark: #ffa057; --low: #1d2f45; --high: #b5dcff; --here: #3a3413; }}
}}
body {{ margin: 2rem auto; max-width: 74rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.1rem; margin: 2.5rem 0 .5rem; }}
h3 {{ font-size: .9rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }}
p {{ color: var(--soft); margin: .3rem 0; max-width: 50rem; }}
a {{ color: inherit; }}
svg {{ display: block; max-width: 100%; height: auto; }}
svg text {{ fill: var(--soft); font: 11px system-ui, sans-serif; }}
svg a:hover rect, svg a:focus rect {{ stroke: var(--text); stroke-width: 1; }}
.bar, .groups {{ fill: var(--bar); }}
.plain {{ stroke: var(--mark); stroke-width: 1.5; }}
.grid {{ stroke: var(--line); }}
.wide {{ overflow-x: auto; }}
.wide svg {{ max-width: none; }}
.facts {{ display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 1.2rem 0 0; }}
.facts dt {{ color: var(--soft); font-size: .85rem; }}
.facts dd {{ margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }}
.key {{ display: flex; align-items: center; gap: .6rem; margin-top: .6rem; font-size: .85rem; }}
.ramp {{ width: 10rem; height: .8rem; background: linear-gradient(to right in srgb, var(--low), var(--high)); }}
.kinds {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.6rem 1.8rem; margin-top: 1rem; }}
.kinds p {{ font-size: .8rem; margin: 0 0 .3rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; width: 100%; }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }}
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) {{ text-align: left; }}
th {{ color: var(--soft); font-weight: 600; }}
tr:target td {{ background: var(--here); }}
td svg {{ margin-left: auto; }}
</style>
</head>
<body>
<h1>{0}</h1>
)";

constexpr size_t kWorst = 10;

using Row = std::pair<size_t, const LayerError*>;

// Every row, largest error first.
std::vector<Row> by_error(const std::vector<LayerError>& errors) {
  std::vector<Row> rows;
  for (size_t i = 0; i < errors.size(); ++i) rows.emplace_back(i, &errors[i]);
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.second->relative_rms > b.second->relative_rms; });
  return rows;
}

std::string link(const Row& row) { return fmt::format("<a href=\"#r{}\">{}</a>", row.first, escaped(row.second->layer)); }

std::string fact(const std::string& name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
}

std::string facts(const std::vector<Row>& rows) {
  std::vector<double> plain;
  for (const Row& row : rows) plain.push_back(row.second->rounding_rms);
  std::nth_element(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(plain.size() / 2), plain.end());
  return "<dl class=\"facts\">" + fact("layers", fmt::format("{}", rows.size())) +
         fact("least", percent(rows.back().second->relative_rms)) + fact("median", percent(rows[rows.size() / 2].second->relative_rms)) +
         fact("median of plain rounding", percent(plain[plain.size() / 2])) + fact("largest", percent(rows.front().second->relative_rms)) +
         "</dl>\n";
}

std::string pictures(const ErrorChart& chart) {
  if (chart.kinds.empty()) return {};
  std::string out =
      "<h2>All layers</h2>\n<p>The RMS error by kind and by number of the layer. A click leads to the layer's row below.</p>\n" +
      overview_picture(chart);
  out +=
      "<h2>Each kind</h2>\n<p>A bar for each layer, all on one scale. The dash is where rounding every weight to the nearest code would "
      "be.</p>\n<div class=\"kinds\">\n";
  for (const ErrorKind& kind : chart.kinds) out += kind_picture(kind, chart);
  return out + "</div>\n";
}

std::string largest(const std::vector<Row>& rows) {
  std::string out = "<h2>Largest errors</h2>\n<ol>\n";
  for (size_t i = 0; i < std::min(kWorst, rows.size()); ++i) {
    out += fmt::format("<li>{}: {}</li>\n", link(rows[i]), percent(rows[i].second->relative_rms));
  }
  return out + "</ol>\n";
}

std::string table(const std::vector<LayerError>& errors, const ErrorChart& chart) {
  std::string out = fmt::format(
      "<h2>Every layer</h2>\n<p>A group is the weights that share a scale; zeros are weights that are exactly 0. The picture is how many "
      "groups have which error, from {} at its left to {} at its right in equal ratios.</p>\n<div class=\"wide\"><table>\n",
      percent(error_of_step(chart.first_step)), percent(error_of_step(chart.last_step + 1)));
  out +=
      "<thead><tr><th>Layer</th><th>Encoding</th><th>RMS error</th><th>Plain rounding</th><th>Groups</th><th>Worst group</th>"
      "<th>Zeros</th><th>Zeros before</th></tr></thead>\n<tbody>\n";
  for (size_t i = 0; i < errors.size(); ++i) {
    const LayerError& error = errors[i];
    out += fmt::format("<tr id=\"r{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", i,
                       escaped(error.layer), escaped(error.encoding), percent(error.relative_rms), percent(error.rounding_rms),
                       groups_picture(error, chart), percent(error.worst_group), percent(error.zeros), percent(error.source_zeros));
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string error_page(const Verification& verification) {
  std::string out = fmt::format(kHead, escaped(verification.model));
  const std::string source = verification.comparison ? verification.comparison->source : "its source";
  out += fmt::format(
      "<p>What quantizing has changed of <b>{}</b>: the root mean square (RMS) of the errors of a layer's weights over that of the "
      "weights.</p>\n",
      escaped(source));
  if (verification.errors.empty()) {
    out += "<p>No layer is quantized.</p>\n";
  } else {
    const ErrorChart chart = error_chart(verification.errors);
    const std::vector<Row> rows = by_error(verification.errors);
    out += facts(rows) + pictures(chart) + largest(rows) + table(verification.errors, chart);
  }
  return out + fmt::format("<p>hf2mlx {}</p>\n</body>\n</html>\n", HF2MLX_VERSION);
}

}  // namespace hf2mlx::cli

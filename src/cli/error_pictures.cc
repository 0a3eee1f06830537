// See error_pictures.h.
#include "cli/error_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "request/options.h"

namespace hf2mlx::cli {
namespace {

bool is_number(const std::string& part) {
  return !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
}

// "model.layers.3.mlp.up_proj" is mlp.up_proj of layer 3; a second number stays in the kind.
ErrorCell cell_of(const LayerError& error, size_t row) {
  const std::vector<std::string> parts = split(error.layer, '.');
  const auto number = std::find_if(parts.begin(), parts.end(), is_number);
  if (number == parts.end()) return {&error, row, std::nullopt, error.layer};
  std::string kind;
  for (auto at = number + 1; at != parts.end(); ++at) kind += (kind.empty() ? "" : ".") + *at;
  return {&error, row, std::stoull(*number), kind};
}

void add_steps(const LayerError& error, ErrorChart& chart) {
  for (size_t step = 0; step < kErrorSteps; ++step) {
    if (error.group_errors[step] == 0) continue;
    chart.first_step = std::min(chart.first_step, step);
    chart.last_step = std::max(chart.last_step, step);
  }
}

std::string tip(const LayerError& error) {
  return fmt::format("<title>{}: {}, worst group {}, {}</title>", escaped(error.layer), percent(error.relative_rms),
                     percent(error.worst_group), error.encoding);
}

std::string open_svg(double width, double height, const std::string& label) {
  return fmt::format(R"svg(<svg width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}" role="img" aria-label="{2}">)svg", width,
                     height, label);
}

// From --low for the least error to --high for the most.
std::string color(double value, const ErrorChart& chart) {
  const double range = chart.most - chart.least;
  const double share = range > 0 ? 100 * (value - chart.least) / range : 50;
  return fmt::format("color-mix(in srgb, var(--high) {:.1f}%, var(--low))", share);
}

std::string color_key(const ErrorChart& chart) {
  return fmt::format(R"(<p class="key"><span>{}</span><span class="ramp"></span><span>{}</span></p>)", percent(chart.least),
                     percent(chart.most));
}

// How many layers lie between two numbers under a picture.
uint64_t label_step(uint64_t layers) { return layers > 40 ? 8 : layers > 12 ? 4 : 1; }

}  // namespace

ErrorChart error_chart(const std::vector<LayerError>& errors) {
  ErrorChart chart;
  chart.first_step = kErrorSteps;
  std::map<std::string, size_t> position;
  for (size_t row = 0; row < errors.size(); ++row) {
    ErrorCell cell = cell_of(errors[row], row);
    const double rms = cell.error->relative_rms;
    chart.largest = std::max({chart.largest, rms, cell.error->rounding_rms});
    add_steps(errors[row], chart);
    if (!cell.layer) continue;
    chart.most = std::max(chart.most, rms);
    chart.least = position.empty() ? rms : std::min(chart.least, rms);
    chart.layers = std::max(chart.layers, *cell.layer + 1);
    const auto [at, is_new] = position.emplace(cell.kind, chart.kinds.size());
    if (is_new) chart.kinds.push_back({cell.kind, {}});
    chart.kinds[at->second].cells.push_back(std::move(cell));
  }
  chart.first_step = std::min(chart.first_step, chart.last_step);
  return chart;
}

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

std::string percent(double fraction) { return fmt::format("{:.3f} %", 100 * fraction); }

double error_of_step(size_t step) {
  return std::exp2((static_cast<double>(step) - static_cast<double>(kErrorSteps)) / kErrorStepsPerOctave);
}

std::string overview_picture(const ErrorChart& chart) {
  constexpr double kLabel = 190, kRow = 22, kTop = 20;
  const double side = std::clamp(900.0 / static_cast<double>(std::max<uint64_t>(chart.layers, 1)), 6.0, 28.0);
  const double height = kTop + kRow * static_cast<double>(chart.kinds.size()) + 2;
  std::string out = "<div class=\"wide\">" +
                    open_svg(kLabel + side * static_cast<double>(chart.layers) + 2, height, "RMS error by kind and layer") + "\n";
  for (uint64_t layer = 0; layer < chart.layers; layer += label_step(chart.layers)) {
    out +=
        fmt::format(R"(<text x="{:.1f}" y="13" text-anchor="middle">{}</text>)", kLabel + side * (static_cast<double>(layer) + 0.5), layer);
  }
  for (size_t row = 0; row < chart.kinds.size(); ++row) {
    const double y = kTop + kRow * static_cast<double>(row);
    out += fmt::format("\n<text x=\"{}\" y=\"{:.0f}\" text-anchor=\"end\">{}</text>", kLabel - 8, y + 15, escaped(chart.kinds[row].name));
    for (const ErrorCell& cell : chart.kinds[row].cells) {
      out += fmt::format(R"(<a href="#r{}"><rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}" style="fill: {}">{}</rect></a>)",
                         cell.row, kLabel + side * static_cast<double>(*cell.layer), y, side - 1, kRow - 1,
                         color(cell.error->relative_rms, chart), tip(*cell.error));
    }
  }
  return out + "\n</svg></div>\n" + color_key(chart) + "\n";
}

std::string kind_picture(const ErrorKind& kind, const ErrorChart& chart) {
  constexpr double kWidth = 360, kHeight = 130, kBase = 108, kPlot = 96, kLeft = 44;
  const double step = (kWidth - kLeft) / static_cast<double>(std::max<uint64_t>(chart.layers, 1));
  const double scale = chart.largest > 0 ? kPlot / chart.largest : 0;
  const auto [least, most] = std::minmax_element(kind.cells.begin(), kind.cells.end(), [](const ErrorCell& a, const ErrorCell& b) {
    return a.error->relative_rms < b.error->relative_rms;
  });
  std::string out = fmt::format("<div><h3>{}</h3><p>{} to {}</p>{}", escaped(kind.name), percent(least->error->relative_rms),
                                percent(most->error->relative_rms), open_svg(kWidth, kHeight, escaped(kind.name)));
  for (const double part : {0.0, 0.5, 1.0}) {
    out += fmt::format(
        R"svg(<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text x="{3}" y="{4}" text-anchor="end">{5:.1f} %</text>)svg", kLeft,
        kWidth, kBase - part * kPlot, kLeft - 5, kBase - part * kPlot + 4, 100 * part * chart.largest);
  }
  for (const ErrorCell& cell : kind.cells) {
    const double x = kLeft + step * static_cast<double>(*cell.layer);
    const double bar = cell.error->relative_rms * scale;
    const double width = std::max(step - 1, 1.0);
    out += fmt::format(R"svg(<a href="#r{}"><rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect></a>)svg",
                       cell.row, x, kBase - bar, width, bar, tip(*cell.error));
    out += fmt::format(R"svg(<line class="plain" x1="{0:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{2:.1f}"/>)svg", x, x + width,
                       kBase - cell.error->rounding_rms * scale);
  }
  for (uint64_t layer = 0; layer < chart.layers; layer += 2 * label_step(chart.layers)) {
    out += fmt::format(R"svg(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)svg", kLeft + step * (static_cast<double>(layer) + 0.5),
                       kHeight - 6, layer);
  }
  return out + "</svg></div>\n";
}

std::string groups_picture(const LayerError& error, const ErrorChart& chart) {
  constexpr double kWidth = 120, kHeight = 22;
  const size_t steps = chart.last_step - chart.first_step + 1;
  const double width = kWidth / static_cast<double>(steps);
  const uint64_t most = *std::max_element(error.group_errors.begin(), error.group_errors.end());
  std::string out = open_svg(kWidth, kHeight, "groups by their error") + "<path class=\"groups\" d=\"";
  out += fmt::format("M0 {}", kHeight);
  for (size_t step = chart.first_step; step <= chart.last_step; ++step) {
    // One of a million groups is seen too.
    const uint64_t count = error.group_errors[step];
    const double share = most > 0 ? static_cast<double>(count) / static_cast<double>(most) : 0;
    const double bar = count > 0 ? std::max(1.0, share * kHeight) : 0;
    out += fmt::format("V{:.4g}h{:.4g}", kHeight - bar, width);
  }
  return out + fmt::format("V{}Z\"/></svg>", kHeight);
}

}  // namespace hf2mlx::cli

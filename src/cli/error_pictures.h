// The pictures of the page of errors: SVG with the page's colours, and links to the rows of its table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hf2mlx/verify.h"

namespace hf2mlx::cli {

// A layer's place in the pictures.
struct ErrorCell {
  const LayerError* error;
  size_t row;                     // of the table
  std::optional<uint64_t> layer;  // its number
  std::string kind;               // its path without the number
};

struct ErrorKind {
  std::string name;
  std::vector<ErrorCell> cells;  // of layers with numbers, in order
};

// All that is drawn. The verification must outlive it.
struct ErrorChart {
  std::vector<ErrorKind> kinds;  // in the order of the model
  uint64_t layers = 0;           // the largest number, and one
  double largest = 0;            // of all errors: the scale of the bars
  double most = 0, least = 0;    // of the RMS errors of numbered layers: the range of the colours
  size_t first_step = 0;         // of the steps in which groups are, of all layers
  size_t last_step = 0;
};
ErrorChart error_chart(const std::vector<LayerError>& errors);

std::string escaped(std::string_view text);
std::string percent(double fraction);

// All kinds by all layers, the darker the larger the error, and what the colours mean.
std::string overview_picture(const ErrorChart& chart);
// One kind: a bar for each layer, a dash where plain rounding is, on the scale of all.
std::string kind_picture(const ErrorKind& kind, const ErrorChart& chart);
// One layer: how many of its groups have which error.
std::string groups_picture(const LayerError& error, const ErrorChart& chart);

}  // namespace hf2mlx::cli

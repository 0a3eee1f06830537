// Converts a model to 4 bits with the library, shows how far it is, and stops cleanly at Ctrl-C.
//
//   convert MODEL OUT [--stop-at PERCENT]
//
// --stop-at cancels by itself, to show that a cancelled conversion leaves nothing behind.
#include "hf2mlx/convert.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

hf2mlx::CancelToken cancel;

void on_interrupt(int) { cancel.cancel(); }

class Percent : public hf2mlx::Progress {
 public:
  explicit Percent(uint64_t stop_at) : stop_at_(stop_at) {}

  void begin(std::string_view what, uint64_t total_bytes) override {
    total_bytes_ = total_bytes;
    std::cerr << what << '\n';
  }
  void advance(uint64_t done_bytes) override {
    const uint64_t percent = total_bytes_ == 0 ? 100 : 100 * done_bytes / total_bytes_;
    std::cerr << '\r' << percent << " %" << std::flush;
    if (percent >= stop_at_) cancel.cancel();
  }
  void end() override { std::cerr << '\n'; }
  void note(std::string_view line) override { std::cerr << "note: " << line << '\n'; }

 private:
  uint64_t stop_at_;
  uint64_t total_bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && !(argc == 5 && std::strcmp(argv[3], "--stop-at") == 0)) {
    std::cerr << "usage: convert MODEL OUT [--stop-at PERCENT]\n";
    return EXIT_FAILURE;
  }
  constexpr uint64_t kNever = 101;
  Percent progress(argc == 5 ? std::stoul(argv[4]) : kNever);
  std::signal(SIGINT, on_interrupt);

  hf2mlx::ConvertOptions options;
  options.source.model = argv[1];
  options.output = argv[2];
  options.quant.quantize = true;  // 4 bits in groups of 64, as mlx_lm does
  try {
    const hf2mlx::Report report = hf2mlx::convert(options, &progress, &cancel);
    std::cout << report.output.string() << ": " << report.output_bytes << " bytes, " << report.bits_per_weight << " bits per weight\n";
    return EXIT_SUCCESS;
  } catch (const hf2mlx::Error& error) {
    std::cerr << error.what() << '\n' << error.hint() << '\n';
    return error.exit_status();
  }
}

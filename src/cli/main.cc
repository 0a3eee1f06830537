// The program: parse, dispatch, one catch, exit status.
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "base/system_error.h"
#include "cli/console.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "report/report_json.h"
#include "request/failure.h"

int main(int argc, char** argv) {
  using namespace hf2mlx;
  using namespace hf2mlx::cli;
  ignore_broken_pipes();
  const std::vector<std::string> words(argv + 1, argv + argc);
  // Written at the end: whatever goes wrong, what --json prints is one object.
  std::ostringstream out;
  Context context = process_context(out, argc, argv);
  try {
    parse(words).perform(context);
    if (const int error = write_out(out.str())) throw hf2mlx::system_error(error, "standard output");
    return context.exit_status;
  } catch (...) {
    const hf2mlx::Error error = to_error(std::current_exception());
    if (!wants_json(words)) {
      context.console.error(error);
    } else {
      std::ostringstream object;
      print_json(object, to_json(error));
      write_out(object.str());
    }
    return error.exit_status();
  }
}

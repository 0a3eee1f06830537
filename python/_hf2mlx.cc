// The extension module: the program's commands without printing. Options come as the words of a command line, which the package writes, so
// they mean here what they mean there; results go back as the JSON texts that --json prints.
#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <CLI/CLI.hpp>  // with what CLI/App.hpp only declares
#include <optional>
#include <string>
#include <tuple>

#include "hf2mlx/convert.h"
#include "hf2mlx/download.h"
#include "hf2mlx/places.h"
#include "hf2mlx/verify.h"
#include "report/report_json.h"
#include "request/convert_request.h"
#include "request/download_request.h"
#include "request/failure.h"
#include "request/listing.h"
#include "request/options.h"
#include "request/override_file.h"
#include "request/upload_request.h"
#include "request/verify_request.h"
#include "watched_call.h"

namespace nb = nanobind;

namespace hf2mlx::python {
namespace {

// Bytes, as paths need not be text.
using Words = std::vector<nb::bytes>;

std::string to_string(const nb::handle& bytes) {
  const auto text = nb::cast<nb::bytes>(bytes);
  return {text.c_str(), text.size()};
}

std::vector<std::string> to_strings(const Words& words) {
  std::vector<std::string> texts;
  for (const nb::bytes& word : words) texts.push_back(to_string(word));
  return texts;
}

// `variables` are bytes by bytes, as os.environb has them; `home_of` is os.path.expanduser, but for the "~".
Places read_places(const nb::dict& variables, const nb::callable& home_of) {
  Variables read;
  for (const auto& [name, value] : variables) read.emplace(to_string(name), to_string(value));
  return places_of(read, [&](const std::string& user) -> std::optional<std::string> {
    const std::string home = nb::cast<std::filesystem::path>(home_of(user)).string();
    return home == "~" + user ? std::nullopt : std::optional(home);
  });
}

template <typename Arguments>
Arguments read_words(void (*declare)(CLI::App&, Arguments&), const Words& words) {
  CLI::App app;
  Arguments arguments;
  declare(app, arguments);
  try {
    parse_words(app, to_strings(words));
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::kUsage, what_is_wrong(error));
  }
  return arguments;
}

// What is stated of bits, group size and mode.
using Stated = std::tuple<std::optional<uint32_t>, std::optional<uint32_t>, std::optional<std::string>>;

LayerChoice choice_of(const nb::object& answer) {
  if (answer.is_none()) return {.kind = LayerChoice::Kind::kKeep};
  auto [bits, group_size, mode] = nb::cast<Stated>(answer);
  if (!bits && !group_size && !mode) return {};
  return {LayerChoice::Kind::kStated, bits, group_size, std::move(mode)};
}

// `predicate` is a function of the package that is asked about each layer, or None. With "--dry-run", a plan.
std::string convert_json(const Places& places, const Words& words, const nb::object& predicate, nb::handle listener,
                         const CancelToken* cancel) {
  WatchedCall call(listener, cancel);
  ConvertArguments arguments = read_words(&declare_convert, words);
  if (!predicate.is_none()) {
    arguments.quant.predicate = [&](const LayerInfo& layer) {
      LayerChoice choice;
      call.ask([&] { choice = choice_of(predicate(layer.path, layer.role, layer.shape, layer.has_bias)); });
      return choice;
    };
  }
  const ConvertRequest request = convert_request(std::move(arguments), places, "");
  std::vector<Report> reports;
  std::optional<UploadReport> uploaded;
  call.run([&](Progress& progress, const CancelToken& token) {
    reports = run(request, &progress, &token);
    if (uploads(request)) uploaded = upload_result(request, reports.front(), &progress, &token);
  });
  Json json = to_json(request, reports);
  if (uploaded) json["upload"] = to_json(*uploaded);
  return json_text(json);
}

std::string inspect_json(const Places& places, const Words& words, nb::handle listener) {
  WatchedCall call(listener, nullptr);
  const SourceOptions source = source_options(read_words(&declare_source, words), places);
  Inspection inspection;
  call.run([&](Progress&, const CancelToken&) { inspection = inspect(source); });
  return json_text(to_json(inspection));
}

std::string download_json(const Places& places, const Words& words, nb::handle listener, const CancelToken* cancel) {
  WatchedCall call(listener, cancel);
  const DownloadOptions options = download_options(read_words(&declare_download, words), places);
  DownloadReport report;
  call.run([&](Progress& progress, const CancelToken& token) { report = download(options, &progress, &token); });
  return json_text(to_json(report, options.dry_run ? DryRun::kYes : DryRun::kNo));
}

std::string upload_json(const Places& places, const Words& words, nb::handle listener, const CancelToken* cancel) {
  WatchedCall call(listener, cancel);
  const UploadArguments arguments = read_words(&declare_upload, words);
  const UploadOptions options = upload_options(arguments, places);
  UploadReport report;
  call.run([&](Progress& progress, const CancelToken& token) { report = run(arguments, options, &progress, &token); });
  return json_text(to_json(report));
}

std::string list_json(const Places& places, const Words& folders, nb::handle listener) {
  WatchedCall call(listener, nullptr);
  const std::vector<std::string> more = to_strings(folders);
  Listing listing;
  call.run([&](Progress&, const CancelToken&) { listing = make_listing(places, more); });
  return json_text(to_json(listing));
}

std::string verify_json(const Places& places, const Words& words, nb::handle listener, const CancelToken* cancel) {
  WatchedCall call(listener, cancel);
  const VerifyOptions options = verify_options(read_words(&declare_verify, words), places);
  Verification verification;
  call.run([&](Progress& progress, const CancelToken& token) { verification = verify(options, &progress, &token); });
  return json_text(to_json(verification));
}

std::string architectures_json() { return json_text(to_json(architectures())); }

// Whatever the library throws becomes an exception of the package.
void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const nb::builtin_exception&) {
    throw;
  } catch (const nb::python_error&) {
    throw;
  } catch (const std::exception&) {
    const Error error = to_error(thrown);
    const nb::object made =
        nb::module_::import_("hf2mlx._errors").attr("make_error")(std::string(name_of(error.code())), error.what(), error.hint());
    PyErr_SetObject(made.type().ptr(), made.ptr());
  }
}

}  // namespace
}  // namespace hf2mlx::python

NB_MODULE(_hf2mlx, module) {
  using namespace hf2mlx::python;
  module.attr("__version__") = hf2mlx::version();
  nb::register_exception_translator(&translate);
  nb::class_<hf2mlx::CancelToken>(module, "CancelToken", "Ends the calls that it was given to, from another thread.")
      .def(nb::init<>())
      .def("cancel", &hf2mlx::CancelToken::cancel, "The calls raise Cancelled, and remove what they have begun.")
      .def_prop_ro("cancelled", &hf2mlx::CancelToken::cancelled);
  nb::class_<hf2mlx::Places>(module, "Places").def(nb::new_(&read_places));
  module.def("convert", &convert_json, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg().none());
  module.def("inspect", &inspect_json);
  module.def("download", &download_json, nb::arg(), nb::arg(), nb::arg(), nb::arg().none());
  module.def("upload", &upload_json, nb::arg(), nb::arg(), nb::arg(), nb::arg().none());
  module.def("list_models", &list_json);
  module.def("verify", &verify_json, nb::arg(), nb::arg(), nb::arg(), nb::arg().none());
  module.def("architectures", &architectures_json);
  module.def("overrides_of", &hf2mlx::overrides_of);
}

// An upload as it is asked for by name, and the one that follows a conversion: what the program and its interfaces have in common.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "hf2mlx/places.h"
#include "hf2mlx/upload.h"
#include "request/convert_request.h"

namespace hf2mlx {

struct UploadArguments {
  std::string folder;
  std::string repo;
  std::string message;
  bool force = false;  // whatever verify finds
};
void declare_upload(CLI::App& app, UploadArguments& arguments);

// Throws Error{kUsage} unless a folder and a repository are named.
UploadOptions upload_options(const UploadArguments& arguments, const Places& places);

// Verifies the folder first, and throws Error{kCorrupt} for one with errors unless `arguments.force` is set: what no program loads is
// better not published. What verify has hashed is not hashed again. Throws also what verify and upload throw.
UploadReport run(const UploadArguments& arguments, UploadOptions options, Progress* progress, const CancelToken* cancel);

// Whether --upload-repo is given, and the run is not a dry one.
bool uploads(const ConvertRequest& request);
// Refuses what cannot be uploaded to, before there is anything to upload. Error as of upload().
void check_upload(const ConvertRequest& request);
// What it asks for, when `report` says that the model is there. An error says so too, and how to go on.
UploadReport upload_result(const ConvertRequest& request, const Report& report, Progress* progress, const CancelToken* cancel);

}  // namespace hf2mlx

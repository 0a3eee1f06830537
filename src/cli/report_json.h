// Results and errors as JSON objects: what --json prints. Field names are those of the structs in include/hf2mlx/.
#pragma once

#include <iosfwd>
#include <vector>

#include "base/json.h"
#include "hf2mlx/convert.h"
#include "hf2mlx/download.h"
#include "hf2mlx/upload.h"
#include "hf2mlx/verify.h"

namespace hf2mlx::cli {

enum class DryRun { kNo, kYes };

Json to_json(const Report& report, DryRun dry_run);
Json to_json(const Inspection& inspection);
Json to_json(const Verification& verification);
Json to_json(const DownloadReport& report, DryRun dry_run);
Json to_json(const UploadReport& report);
Json to_json(const std::vector<ArchInfo>& architectures);
Json to_json(const Error& error);  // {"error": {"code", "message", "hint"}}

// One object and a newline. Names that are not UTF-8 get replacement characters: what is printed is always JSON.
void print_json(std::ostream& out, const Json& json);

}  // namespace hf2mlx::cli

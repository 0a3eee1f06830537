// Results and errors as JSON objects: what --json prints, and the C interface gives. Field names are those of the structs in
// include/hf2mlx/.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/json.h"
#include "hf2mlx/convert.h"
#include "hf2mlx/download.h"
#include "hf2mlx/list.h"
#include "hf2mlx/upload.h"
#include "hf2mlx/verify.h"

namespace hf2mlx {

enum class DryRun { kNo, kYes };

Json to_json(const Report& report, DryRun dry_run);
Json to_json(const Inspection& inspection);
Json to_json(const Verification& verification);
Json to_json(const DownloadReport& report, DryRun dry_run);
Json to_json(const UploadReport& report);
Json to_json(const ModelLists& lists);
Json to_json(const std::vector<ArchInfo>& architectures);
Json to_json(const Error& error);  // {"error": {"code", "message", "hint"}}

// One object and a newline. Names that are not UTF-8 get replacement characters: it is always JSON.
std::string json_text(const Json& json);
void print_json(std::ostream& out, const Json& json);

}  // namespace hf2mlx

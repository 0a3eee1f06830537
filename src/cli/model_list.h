// The models of this machine, for people.
#pragma once

#include <iosfwd>
#include <string>

#include "request/listing.h"

namespace hf2mlx::cli {

// As it can be given to convert: org/name, or org/name@revision, where a commit is shortened.
std::string name_for_convert(const std::string& name, const std::string& revision);

void print_list(std::ostream& out, const Listing& listing);

}  // namespace hf2mlx::cli

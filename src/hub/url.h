// Addresses, as far as the hub client takes them apart.
#pragma once

#include <string>
#include <string_view>

namespace hf2mlx {

// "https://Host/x" is "https://host:443". Empty for what is no http or https address.
std::string origin_of(std::string_view url);

// What `location` means in a response to a request for `base`.
std::string resolve_url(std::string_view base, std::string_view location);

// Letters, digits, "-_.~" and those in `also` stay; everything else becomes %XX.
std::string percent_encode(std::string_view text, std::string_view also = "");

// The address with rel="next" in a Link header, or empty.
std::string next_page(std::string_view link_header);

}  // namespace hf2mlx

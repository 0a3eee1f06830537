// HTTP by libcurl, which takes proxies from the environment as all its users do (https_proxy, no_proxy ...).
#pragma once

#include "hub/http.h"

namespace hf2mlx {

// `timeout_seconds` to connect, and without a single byte.
ConnectionFactory curl_connections(unsigned timeout_seconds);

}  // namespace hf2mlx

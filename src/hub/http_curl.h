// HTTP by libcurl, which takes proxies from the environment as all its users do (https_proxy, no_proxy ...).
#pragma once

#include "hf2mlx/options.h"
#include "hub/http.h"

namespace hf2mlx {

// Of the options, the time-out and the certificates.
ConnectionFactory curl_connections(const HubOptions& options);

}  // namespace hf2mlx

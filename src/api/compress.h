#pragma once

#include <string_view>

#include "net/http_server.h"

namespace weir::api {

/// Whether an Accept-Encoding header takes gzip.
bool accepts_gzip(std::string_view accept_encoding);

/// Compresses the body where the client takes it and it is larger than 1 KiB. Takes about 10 ms a MiB.
void compress(const net::ServerRequest& request, net::ServerResponse& response);

}  // namespace weir::api

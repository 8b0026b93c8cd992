#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/error.h"
#include "net/http_server.h"

namespace weir::api {

/// Whether an Accept-Encoding header takes gzip.
bool accepts_gzip(std::string_view accept_encoding);

/// Compresses the body where the client takes it and it is larger than 1 KiB. Takes about 10 ms a MiB.
void compress(const net::ServerRequest& request, net::ServerResponse& response);

/// What a gzip file (RFC 1952) holds. Errors: not one, or cut short (invalid); more than `most` bytes come out (limit).
core::Result<std::string> gunzipped(std::string_view compressed, std::size_t most);

}  // namespace weir::api

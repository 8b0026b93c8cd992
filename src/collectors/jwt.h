#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "core/secret.h"
#include "core/time.h"

namespace weir::collectors {

/// A JSON Web Token (RFC 7519) that is signed with RSA and SHA-256 (RS256, RFC 7518, 3.3).
struct JwtClaims {
  std::string issuer;   // {public_key_sha256} in it is the SHA-256 of the public key (its DER form) in base 64
  std::string subject;  // the same; left out when empty, as the others are
  std::string audience;
  std::string scope;
  std::string key_id;  // of the header
  core::Duration lifetime{};
};

/// The signed token, valid from `now`. Errors (invalid): the text is no RSA private key in PEM, or needs a password.
core::Result<core::Secret> sign_jwt(const core::Secret& private_key_pem, const JwtClaims& claims, core::Time now);

/// Base 64 for URLs without padding (RFC 4648, 5).
std::string base64_url(std::string_view bytes);

}  // namespace weir::collectors

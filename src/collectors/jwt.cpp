#include "collectors/jwt.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <vector>

namespace weir::collectors {
namespace {

using nlohmann::json;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// OpenSSL asks for a password otherwise, on the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string fingerprint(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<std::size_t>(size), digest);
  OPENSSL_free(der);
  return base64(digest, sizeof digest);
}

std::string with_fingerprint(std::string text, EVP_PKEY* key) {
  constexpr std::string_view kName = "{public_key_sha256}";
  const std::size_t at = text.find(kName);
  return at == std::string::npos ? text : text.replace(at, kName.size(), fingerprint(key));
}

std::string signature_of(const std::string& text, EVP_PKEY* key) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return {};
  }
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) != 1) {
    return {};
  }
  out.resize(size);
  return out;
}

}  // namespace

std::string base64_url(std::string_view bytes) {
  std::string out = base64(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

core::Result<core::Secret> sign_jwt(const core::Secret& private_key_pem, const JwtClaims& claims, core::Time now) {
  const std::string& pem = private_key_pem.reveal();
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)
                                                : nullptr);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return core::fail(core::ErrorKind::invalid,
                      "the private key is no RSA key in PEM (-----BEGIN PRIVATE KEY-----), or has a password");
  }
  const auto issued = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!claims.key_id.empty()) header["kid"] = claims.key_id;
  json body = {
      {"iat", issued},
      {"exp", issued + std::chrono::duration_cast<std::chrono::seconds>(claims.lifetime).count()},
  };
  if (!claims.issuer.empty()) body["iss"] = with_fingerprint(claims.issuer, key.get());
  if (!claims.subject.empty()) body["sub"] = with_fingerprint(claims.subject, key.get());
  if (!claims.audience.empty()) body["aud"] = claims.audience;
  if (!claims.scope.empty()) body["scope"] = claims.scope;
  const std::string text = base64_url(header.dump()) + "." + base64_url(body.dump());
  const std::string signature = signature_of(text, key.get());
  if (signature.empty()) return core::fail(core::ErrorKind::invalid, "the private key cannot sign with SHA-256");
  return core::Secret(text + "." + base64_url(signature));
}

}  // namespace weir::collectors

#include "collectors/http_login_settings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"
#include "config/node.h"

namespace weir::collectors {
namespace {

using config::MapReader;
using config::Node;

/// With {names} that are not the environment's.
std::string literal(MapReader& reader, std::string_view key) {
  const Node* node = reader.child(key);
  return node != nullptr && node->is_scalar() ? node->text() : std::string();
}

core::Secret read_key(const Node& node, MapReader& reader) {
  // The whole file: a secret of one line is another thing.
  const std::string path = reader.text("private_key_file");
  if (path.empty()) {
    reader.missing("private_key_file");
    return {};
  }
  auto text = config::read_file(placed(path, node));
  if (!text) reader.error("private_key_file", fmt::format("{}: {}", path, text.error().message));
  return core::Secret(text ? *text : std::string());
}

JwtSettings read_jwt(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what);
  JwtSettings jwt;
  jwt.private_key = read_key(node, reader);
  jwt.claims.issuer = literal(reader, "issuer");
  jwt.claims.subject = literal(reader, "subject");
  jwt.claims.audience = reader.text("audience");
  jwt.claims.scope = fmt::format("{}", fmt::join(reader.text_list("scopes"), " "));
  jwt.claims.key_id = reader.text("key_id");
  jwt.claims.lifetime = reader.duration("lifetime", std::chrono::minutes(55));
  if (jwt.claims.lifetime < std::chrono::minutes(1) || jwt.claims.lifetime > std::chrono::hours(1)) {
    reader.error("lifetime", "must be from 1m to 1h");
  }
  if (jwt.claims.issuer.empty()) reader.missing("issuer");
  if (!jwt.private_key.empty()) {
    if (const auto tried = sign_jwt(jwt.private_key, jwt.claims, core::Time{}); !tried) {
      reader.error("private_key_file", tried.error().message);
    }
  }
  reader.finish();
  return jwt;
}

/// A service account of Google: {"client_email": …, "private_key": …, "token_uri": …}.
std::optional<OauthSettings> read_service_account(MapReader& entry) {
  const Node* node = entry.child("google_service_account");
  if (node == nullptr) return std::nullopt;
  MapReader reader(*node, entry.diagnostics(), entry.what() + ", google_service_account");
  const std::string path = reader.required_text("file");
  const std::vector<std::string> scopes = reader.text_list("scopes");
  OauthSettings oauth;
  oauth.assertion.emplace();
  const auto text = path.empty() ? core::Result<std::string>() : config::read_file(placed(path, *node));
  if (!text) reader.error("file", fmt::format("{}: {}", path, text.error().message));
  const auto file = text ? parse_json(*text, 8) : core::Result<nlohmann::json>(nlohmann::json());
  const auto member = [&](const char* name) {
    const auto found = file && file->is_object() ? file->find(name) : nlohmann::json::const_iterator();
    return file && file->is_object() && found != file->end() && found->is_string() ? found->get<std::string>()
                                                                                   : std::string();
  };
  oauth.token_url = member("token_uri");
  oauth.assertion->private_key = core::Secret(member("private_key"));
  oauth.assertion->claims = {.issuer = member("client_email"),
                             .subject = {},
                             .audience = oauth.token_url,
                             .scope = fmt::format("{}", fmt::join(scopes, " ")),
                             .key_id = member("private_key_id"),
                             .lifetime = std::chrono::hours(1)};
  if (!path.empty() && text) {
    const auto tried = sign_jwt(oauth.assertion->private_key, oauth.assertion->claims, core::Time{});
    if (oauth.token_url.empty() || oauth.assertion->claims.issuer.empty() || !tried) {
      reader.error("file", "is no key of a service account: it has client_email, private_key and token_uri");
    }
  }
  if (scopes.empty()) reader.missing("scopes");
  reader.finish();
  return oauth;
}

std::optional<OauthSettings> read_oauth(MapReader& entry) {
  const Node* node = entry.child("oauth2");
  if (node == nullptr) return std::nullopt;
  MapReader reader(*node, entry.diagnostics(), entry.what() + ", oauth2");
  OauthSettings oauth;
  oauth.token_url = reader.required_text("token_url");
  if (const std::string mistake = url_mistake(oauth.token_url); !oauth.token_url.empty() && !mistake.empty()) {
    reader.error("token_url", mistake);
  }
  oauth.client_id = reader.required_text("client_id");
  oauth.client_secret = reader.secret("client_secret");
  if (oauth.client_secret.empty()) reader.missing("client_secret");
  oauth.scope = fmt::format("{}", fmt::join(reader.text_list("scopes"), " "));
  const std::string how = reader.choice("credentials", "basic", {"basic", "body", "json"});
  using Credentials = OauthSettings::Credentials;
  oauth.credentials = how == "body" ? Credentials::form : how == "json" ? Credentials::json : Credentials::basic;
  oauth.parameters = reader.text_map("parameters");
  reader.finish();
  return oauth;
}

/// Airflow 3's /auth/token, and those like it.
std::optional<OauthSettings> read_login_of_user(MapReader& entry) {
  const Node* node = entry.child("login");
  if (node == nullptr) return std::nullopt;
  MapReader reader(*node, entry.diagnostics(), entry.what() + ", login");
  OauthSettings login;
  login.of_user = true;
  login.credentials = OauthSettings::Credentials::json;
  login.token_url = reader.required_text("url");
  if (const std::string mistake = url_mistake(login.token_url); !login.token_url.empty() && !mistake.empty()) {
    reader.error("url", mistake);
  }
  login.client_id = reader.required_text("username");
  login.client_secret = reader.secret("password");
  if (login.client_secret.empty()) reader.missing("password");
  reader.finish();
  return login;
}

}  // namespace

void read_service_login(MapReader& reader, HttpJsonSettings& settings) {
  settings.oauth = read_oauth(reader);
  if (auto account = read_service_account(reader)) {
    if (settings.oauth) reader.error("oauth2", "give one of oauth2 and google_service_account");
    settings.oauth = std::move(account);
  }
  if (auto login = read_login_of_user(reader)) {
    if (settings.oauth) reader.error("login", "give one of oauth2, google_service_account and login");
    settings.oauth = std::move(login);
  }
  if (const Node* jwt = reader.child("jwt")) {
    settings.jwt = read_jwt(*jwt, reader.what() + ", jwt", reader.diagnostics());
  }
  const int logins = (settings.oauth ? 1 : 0) + (settings.jwt ? 1 : 0) + (settings.endpoint.basic_auth ? 1 : 0) +
                     (settings.endpoint.bearer_token.empty() ? 0 : 1);
  if (logins > 1) {
    reader.error("url", "give one of oauth2, google_service_account, login, jwt, basic_auth and bearer_token");
  }
}

}  // namespace weir::collectors

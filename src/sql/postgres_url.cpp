#include "sql/postgres_url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

#include "config/diagnostics.h"
#include "core/percent.h"

namespace weir::sql {
namespace {

struct Parts {
  std::string_view user;      // with its password
  std::string_view hosts;     // host:port, several with commas
  std::string_view database;  // as written
};

std::string_view without_scheme(std::string_view url) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

Parts split(std::string_view rest) {
  Parts parts;
  rest = rest.substr(0, rest.find('?'));
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) parts.database = rest.substr(slash + 1);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user = authority.substr(0, at);
    authority = authority.substr(at + 1);
  }
  parts.hosts = authority;
  return parts;
}

bool escapes_are_whole(std::string_view text) {
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
    const auto hex = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
    };
    if (!hex(i + 1) || !hex(i + 2)) return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && number >= 1 && number <= 65535;
}

bool ports_are_numbers(std::string_view hosts) {
  while (!hosts.empty()) {
    const std::size_t comma = std::min(hosts.find(','), hosts.size());
    const std::string_view host = hosts.substr(0, comma);
    hosts.remove_prefix(std::min(comma + 1, hosts.size()));
    const std::size_t bracket = host.rfind(']');
    const std::size_t colon = host.rfind(':');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) continue;
    if (!is_port(host.substr(colon + 1))) return false;
  }
  return true;
}

/// One for all hosts, or one each with commas; an empty one is the default.
bool ports_of_parameter(std::string_view ports) {
  while (!ports.empty()) {
    const std::size_t comma = std::min(ports.find(','), ports.size());
    if (comma > 0 && !is_port(ports.substr(0, comma))) return false;
    ports.remove_prefix(std::min(comma + 1, ports.size()));
  }
  return true;
}

/// libpq's parameter key words up to release 18, of which a URI may have each (libpq, "Parameter Key Words"), and
/// "ssl".
const std::vector<std::string>& known_parameters() {
  static const std::vector<std::string> kKnown{"application_name",
                                               "channel_binding",
                                               "client_encoding",
                                               "connect_timeout",
                                               "dbname",
                                               "fallback_application_name",
                                               "gssdelegation",
                                               "gssencmode",
                                               "gsslib",
                                               "host",
                                               "hostaddr",
                                               "keepalives",
                                               "keepalives_count",
                                               "keepalives_idle",
                                               "keepalives_interval",
                                               "krbsrvname",
                                               "load_balance_hosts",
                                               "max_protocol_version",
                                               "min_protocol_version",
                                               "oauth_client_id",
                                               "oauth_client_secret",
                                               "oauth_issuer",
                                               "oauth_scope",
                                               "options",
                                               "passfile",
                                               "password",
                                               "port",
                                               "replication",
                                               "require_auth",
                                               "requirepeer",
                                               "scram_client_key",
                                               "scram_server_key",
                                               "service",
                                               "servicefile",
                                               "ssl",
                                               "ssl_max_protocol_version",
                                               "ssl_min_protocol_version",
                                               "sslcert",
                                               "sslcertmode",
                                               "sslcompression",
                                               "sslcrl",
                                               "sslcrldir",
                                               "sslkey",
                                               "sslkeylogfile",
                                               "sslmode",
                                               "sslnegotiation",
                                               "sslpassword",
                                               "sslrootcert",
                                               "sslsni",
                                               "target_session_attrs",
                                               "tcp_user_timeout",
                                               "user"};
  return kKnown;
}

/// What is wrong with `name=value` of the URI, "" for nothing. An unknown name may be a part of a password.
std::string parameter_mistake(std::string_view parameter) {
  const std::size_t equals = parameter.find('=');
  const std::string name(parameter.substr(0, equals));
  if (equals == std::string_view::npos || name.empty())
    return "the url's parameters, after its first ?, must be name=value, with & between them; write ? itself as %3F";
  if (std::ranges::find(known_parameters(), name) == known_parameters().end()) {
    const std::string* meant = config::nearest(name, known_parameters());
    if (meant == nullptr)
      return "the url has a parameter that libpq does not know; they follow the first ?, which itself is written %3F";
    return fmt::format("the url has a parameter \"{}\" that libpq does not know (did you mean \"{}\"?)", name, *meant);
  }
  static const std::vector<std::string> kModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  const std::string value(parameter.substr(equals + 1));
  if (name == "port" && !ports_of_parameter(value)) return "the url's parameter port is no number from 1 to 65535";
  if (name != "sslmode" || std::ranges::find(kModes, value) != kModes.end()) return {};
  return fmt::format("the url's sslmode is not one of {}{}", fmt::join(kModes, ", "),
                     config::did_you_mean(value, kModes));
}

std::string parameters_mistake(std::string_view rest) {
  const std::size_t start = rest.find('?');
  if (start == std::string_view::npos || start + 1 == rest.size()) return {};
  rest.remove_prefix(start + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    if (std::string mistake = parameter_mistake(rest.substr(0, end)); !mistake.empty()) return mistake;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

}  // namespace

core::Result<void> check_postgres_url(std::string_view url) {
  const std::string_view rest = without_scheme(url);
  if (rest.data() == nullptr) {
    return core::fail(core::ErrorKind::invalid,
                      "the url must begin with postgresql:// (postgresql://user@host:5432/database)");
  }
  const auto bad = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (std::ranges::any_of(url, bad)) {
    return core::fail(core::ErrorKind::invalid,
                      "the url holds a space or control character; write it as %20 or the like");
  }
  if (!escapes_are_whole(rest)) {
    return core::fail(core::ErrorKind::invalid, "the url holds a % that begins no escape; write % itself as %25");
  }
  const Parts parts = split(rest);
  if (!ports_are_numbers(parts.hosts)) {
    return core::fail(
        core::ErrorKind::invalid,
        "the url's port is no number from 1 to 65535; write / @ : in a user name or password as %2F %40 %3A");
  }
  if (std::string mistake = parameters_mistake(rest); !mistake.empty())
    return core::fail(core::ErrorKind::invalid, std::move(mistake));
  return {};
}

std::string with_parameters(std::string url, const std::vector<std::pair<std::string, std::string>>& parameters) {
  for (const auto& [name, value] : parameters) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += name + "=" + core::percent_encoded(value);
  }
  return url;
}

std::string address_of(std::string_view url) {
  const Parts parts = split(without_scheme(url));
  std::string address(parts.hosts.empty() ? std::string_view("the local socket") : parts.hosts);
  if (!parts.database.empty()) address.append("/").append(parts.database);
  return address;
}

}  // namespace weir::sql

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <charconv>
#include <cstdint>

#include "net/http_server.h"

namespace weir::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    if (escape && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void append_parameters(std::string_view text, std::vector<std::pair<std::string, std::string>>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      const std::string_view value = equals == pair.size() ? std::string_view() : pair.substr(equals + 1);
      out.emplace_back(decode(pair.substr(0, equals), true), decode(value, true));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string percent_decode(std::string_view text) { return decode(text, false); }

std::string host_name(std::string_view host) {
  const bool six = host.starts_with('[');
  const std::size_t end = six ? std::min(host.find(']'), host.size() - 1) + 1 : std::min(host.find(':'), host.size());
  const std::string_view port = host.substr(end);
  constexpr std::uint32_t kLargestPort = 65535;
  const bool digits =
      port.empty() || (port[0] == ':' && port.size() <= 6 &&
                       std::ranges::all_of(port.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
  std::uint32_t number = 0;
  if (digits && port.size() > 1) std::from_chars(port.data() + 1, port.data() + port.size(), number);
  const bool port_fits = digits && number <= kLargestPort && (number > 0 || port.size() <= 1);
  if (!port_fits) return {};
  std::string name(host.substr(0, end));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::string url_host(std::string_view url) {
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const bool bad = std::ranges::any_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
  if (scheme == 0 || bad) return {};
  std::string_view authority = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  authority.remove_prefix(authority.rfind('@') + 1);  // without one, npos + 1 is 0
  std::string name = host_name(authority);
  const bool six = name.starts_with('[') && name.ends_with(']');
  return six || name.find_first_of("[]<>\"\\^`{|}") == std::string::npos ? name : std::string();
}

bool is_loopback_host(std::string_view host) {
  const std::string name = host_name(host);
  in_addr parsed{};
  // A name such as 127.example.org is not an address.
  const bool four = name.starts_with("127.") && inet_pton(AF_INET, name.c_str(), &parsed) == 1;
  return name == "localhost" || name == "[::1]" || four;
}

core::Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto bad = [&] {
    return core::fail(
        core::ErrorKind::invalid,
        "\"" + std::string(text) + "\" is not an address to listen on (write 127.0.0.1:9877 or [::1]:9877)");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string host(text.substr(0, colon));
  const std::string_view port_text = text.substr(colon + 1);
  const bool six = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (six) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  in6_addr parsed{};
  if (inet_pton(six ? AF_INET6 : AF_INET, host.c_str(), &parsed) != 1) return bad();
  ListenAddress address{.host = host, .port = 0, .loopback = six ? host == "::1" : host.starts_with("127.")};
  const auto [end, failed] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
  if (failed != std::errc() || end != port_text.data() + port_text.size() || port_text.empty()) return bad();
  return address;
}

std::string_view ServerRequest::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> ServerRequest::parameters() const {
  std::vector<std::pair<std::string, std::string>> out;
  append_parameters(query, out);
  if (header("content-type").starts_with("application/x-www-form-urlencoded")) append_parameters(body, out);
  return out;
}

ServerResponse ServerResponse::text(int status, std::string body) {
  return {.status = status, .body = std::make_shared<const std::string>(std::move(body)), .headers = {}};
}

ServerResponse ServerResponse::json(int status, std::string body) {
  ServerResponse response = text(status, std::move(body));
  response.content_type = "application/json";
  return response;
}

}  // namespace weir::net

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "notify/registry.h"

namespace weir::notify {

/// An entry of `email_configs`: to, from, smarthost, hello, auth_username, auth_password (or auth_secret, then by
/// CRAM-MD5), auth_identity, require_tls, tls_config, headers, text, html, send_resolved (false).
ParsedNotifier parse_email(const config::Node& node, const ParseContext& context);

struct EmailMessage {
  std::string from;
  std::vector<std::string> to;
  std::vector<std::pair<std::string, std::string>> headers = {};  // instead of those of the same name, and besides
  std::string text = {};                                          // "" for Weir's own
  std::string html = {};                                          // beside it, "" for none
  std::string note = {};                                          // below the text, of what went wrong
};

/// A message as RFC 5322 has it, lines ended by CRLF, in UTF-8. Its Message-ID is made of the idempotency key, so that
/// one sent twice is the same. `thread` is the Message-ID of the first of the group's messages, "" for the first.
std::string email_text(const core::OutboxMessage& message, const EmailMessage& mail, const std::string& thread,
                       const std::string& external_url, core::Time now);

/// `<key@weir.host>`; the host is of the sender's address.
std::string message_id(const core::OutboxMessage& message, const std::string& from);

/// The addresses of a list such as `Ann <ann@example.com>, bob@example.com`. Errors (invalid): one that is none.
core::Result<std::vector<std::string>> parse_addresses(std::string_view text);

}  // namespace weir::notify

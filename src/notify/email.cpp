#include "notify/email.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <ctime>
#include <fmt/format.h>

#include "net/mail_client.h"
#include "notify/message_text.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

constexpr std::size_t kSubject = 200;
constexpr std::size_t kAlerts = 50;
constexpr std::size_t kMostRecipients = 50;

struct EmailSettings {
  std::string name;
  net::MailServer server;
  EmailMessage mail;
  MessageText to;  // where it is a template
  MessageTextMap headers;
  MessageText text;
  MessageText html;
};

/// No line may end where a text says so.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return line;
}

std::string base64(std::string_view data) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < data.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8U | (i + j < data.size() ? static_cast<unsigned char>(data[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= data.size() - i ? kDigits[bits >> (18 - 6 * j) & 63U] : '=';
  }
  return out;
}

/// RFC 2047: words of at most 75 characters, cut between characters; also of what is longer than a line may be.
std::string encoded_header(const std::string& text) {
  constexpr std::size_t kLine = 900;
  constexpr std::size_t kWord = 42;
  constexpr int kCharacter = 4;
  const bool plain = std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7f; });
  if (plain && text.size() <= kLine) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + kWord, text.size());
    const auto inside = [&] { return end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U; };
    for (int back = 1; back < kCharacter && inside(); ++back) --end;
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(text.substr(at, end - at)));
    at = end;
  }
  return out;
}

/// Of an address only the name before it may be encoded.
std::string encoded_address(const std::string& text) {
  const std::size_t open = text.rfind('<');
  if (open == std::string::npos || open == 0 || text.find(',') < open) return encoded_header(text);
  std::string name = text.substr(0, open);
  while (name.ends_with(' ')) name.pop_back();
  const std::string encoded = encoded_header(name);
  return encoded == name ? text : encoded + " " + text.substr(open);
}

bool same_header(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string encoded_value(std::string_view name, const std::string& value) {
  const auto named = [&](std::string_view one) { return same_header(name, one); };
  constexpr std::array<std::string_view, 6> kAddresses{"From", "To", "Cc", "Bcc", "Reply-To", "Sender"};
  return std::ranges::any_of(kAddresses, named) ? encoded_address(value) : encoded_header(value);
}

/// "Tue, 14 Nov 2023 22:13:20 +0000"
std::string rfc5322_date(core::Time now) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::tm date{};
  ::gmtime_r(&seconds, &date);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays.at(static_cast<std::size_t>(date.tm_wday)),
                     date.tm_mday, kMonths.at(static_cast<std::size_t>(date.tm_mon)), date.tm_year + 1900, date.tm_hour,
                     date.tm_min, date.tm_sec);
}

std::string own_text(const core::Notification& notification, const std::string& external_url) {
  std::string text = headline(notification) + "\n\n";
  if (!notification.cause.empty()) text += fmt::format("{}: {}\n\n", cause_label(notification), notification.cause);
  text += "About: " + plain_subject(notification) + "\n";
  for (const auto& [name, value] : impact_facts(notification)) text += fmt::format("{}: {}\n", name, value);
  text += "\n" + plain_alerts(notification, kAlerts) + "\n";
  if (const std::string link = page_link(external_url, notification.incident_id); !link.empty())
    text += "\n" + link + "\n";
  return text;
}

/// Base64 in lines, whatever the text holds.
std::string encoded_body(const std::string& text) {
  const std::string all = base64(text);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += 76) out += all.substr(at, 76) + "\r\n";
  return out;
}

std::string part(std::string_view type, const std::string& text) {
  return fmt::format("Content-Type: {}; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", type,
                     encoded_body(text));
}

class Email final : public Notifier {
 public:
  Email(EmailSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    const bool resolved = message.notification.status == "resolved";
    MessageRenderer renderer(message.notification, tools_.external_url, context.now);
    EmailMessage texts = rendered(renderer);
    if (settings_.to.given()) {
      auto recipients = recipients_of(renderer);
      if (!recipients) return std::unexpected(DeliveryError{.error = std::move(recipients.error())});
      texts.to = std::move(*recipients);
    }
    const net::Mail mail{.from = parse_addresses(settings_.mail.from).value_or(std::vector<std::string>{""}).front(),
                         .to = texts.to,
                         .text = email_text(message, texts, message.reference, tools_.external_url, context.now)};
    auto sent = net::send_mail(settings_.server, mail, context.timeout, context.stop);
    if (!sent) {
      DeliveryError failed{.error = std::move(sent.error())};
      failed.error.where = settings_.name;
      return std::unexpected(std::move(failed));
    }
    Receipt receipt;
    if (resolved) receipt.reference = "";
    if (!resolved && message.reference.empty()) receipt.reference = message_id(message, settings_.mail.from);
    receipt.template_problems = renderer.problems();
    return receipt;
  }

 private:
  core::Result<std::vector<std::string>> recipients_of(MessageRenderer& renderer) const {
    const std::string to = renderer.render(settings_.to);
    auto addresses = parse_addresses(to);
    const auto fail = [&](std::string why) {
      return core::fail(core::ErrorKind::invalid, "the template of \"to\" gives no recipient: " + std::move(why),
                        settings_.name);
    };
    if (!renderer.problems().empty() && to.empty()) return fail(renderer.problems());
    if (!addresses) return fail(addresses.error().message);
    if (addresses->empty()) return fail("it is empty");
    if (addresses->size() > kMostRecipients) return fail(fmt::format("more than {} addresses", kMostRecipients));
    return addresses;
  }

  EmailMessage rendered(MessageRenderer& renderer) const {
    EmailMessage mail = settings_.mail;
    for (auto& [name, value] : renderer.render(settings_.headers)) {
      if (!value.empty()) mail.headers.emplace_back(name, one_line(value));
    }
    mail.text = renderer.render(settings_.text);
    mail.html = renderer.render(settings_.html);
    mail.note = renderer.note();
    return mail;
  }

  EmailSettings settings_;
  NotifierTools tools_;
};

void read_server(config::MapReader& reader, const SmtpSettings& global, net::MailServer& server) {
  server.smarthost = reader.text("smarthost", global.smarthost);
  if (server.smarthost.empty()) {
    reader.missing("smarthost", "key \"smarthost\" is missing; give it here, or smtp_smarthost in global");
  } else if (!net::is_smarthost(server.smarthost)) {
    reader.error("smarthost", "is not a host and a port, such as mail.example.com:587");
  }
  server.hello = reader.text("hello", global.hello);
  server.username = reader.text("auth_username", global.username);
  server.password = reader.secret("auth_password");
  core::Secret secret = reader.secret("auth_secret");
  if (server.password.empty() && secret.empty()) {
    server.password = global.password;
    secret = global.secret;
  }
  server.cram_md5 = server.password.empty() && !secret.empty();
  if (server.cram_md5) server.password = std::move(secret);
  server.identity = reader.text("auth_identity", global.identity);
  server.require_tls = reader.boolean("require_tls", global.require_tls);
  const config::Node* own = reader.child("tls_config");
  const TlsConfig tls =
      own == nullptr || own->is_null() ? global.tls : parse_tls_config(*own, reader, reader.diagnostics());
  server.ca_file = tls.ca_file;
  server.cert_file = tls.cert_file;
  server.key_file = tls.key_file;
  server.server_name = tls.server_name;
  server.insecure_skip_verify = tls.insecure_skip_verify;
}

void read_mail(config::MapReader& reader, const ParseContext& context, EmailSettings& settings) {
  EmailMessage& mail = settings.mail;
  const SmtpSettings& global = context.global.smtp;
  mail.from = reader.text("from", global.from);
  if (mail.from.empty()) {
    reader.missing("from", "key \"from\" is missing; give it here, or smtp_from in global");
  } else if (const auto from = parse_addresses(mail.from); !from || from->size() != 1) {
    reader.error("from", "is not an address");
  }
  MessageTexts texts(reader, context.library);
  const std::string to = reader.text("to");
  auto addresses = parse_addresses(to);
  if (to.empty()) {
    reader.missing("to");
  } else if (to.contains("{{")) {
    settings.to = texts.text("to");
  } else if (!addresses) {
    reader.error("to", addresses.error().message);
  } else if (addresses->size() > kMostRecipients) {
    reader.error("to", fmt::format("names more than {} addresses", kMostRecipients));
  } else {
    mail.to = std::move(*addresses);
  }
  settings.headers = texts.map("headers");
  for (const auto& [name, value] : settings.headers) {
    const bool named =
        !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c < 0x7f && c != ':'; });
    if (!named) reader.error("headers", fmt::format("\"{}\" is no name of a header", name));
  }
  settings.text = texts.text("text");
  settings.html = texts.text("html", templates::TemplateOutput::html);
}

/// The first comma that is not within quotes.
std::size_t comma_of(std::string_view text) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (text[at] == ',' && !quoted) return at;
  }
  return std::string_view::npos;
}

}  // namespace

core::Result<std::vector<std::string>> parse_addresses(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const std::size_t comma = comma_of(text);
    std::string_view one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (const std::size_t open = one.rfind('<'); open != std::string_view::npos) {
      const std::size_t close = one.find('>', open);
      one = close == std::string_view::npos ? std::string_view() : one.substr(open + 1, close - open - 1);
    }
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    const std::size_t at = one.find('@');
    const bool clean =
        std::ranges::all_of(one, [](unsigned char c) { return c > ' ' && c != 0x7f && c != '<' && c != '>'; });
    if (at == std::string_view::npos || at == 0 || at + 1 == one.size() || !clean)
      return core::fail(core::ErrorKind::invalid, fmt::format("\"{}\" is not an address", one));
    found.emplace_back(one);
  }
  return found;
}

std::string message_id(const core::OutboxMessage& message, const std::string& from) {
  const auto addresses = parse_addresses(from);
  const std::string host =
      addresses && !addresses->empty() ? addresses->front().substr(addresses->front().find('@') + 1) : "weir";
  return fmt::format("<weir.{}@{}>", message.idempotency_key, host);
}

std::string email_text(const core::OutboxMessage& message, const EmailMessage& mail, const std::string& thread,
                       const std::string& external_url, core::Time now) {
  const core::Notification& notification = message.notification;
  std::string to;
  for (const std::string& one : mail.to) to += (to.empty() ? "" : ", ") + one;
  // Clients keep a thread together by its subject too: what changes is not in it.
  std::vector<std::pair<std::string, std::string>> headers{
      {"From", encoded_address(one_line(mail.from))},
      {"To", to},
      {"Subject",
       encoded_header(cut(one_line((notification.status == "resolved" && thread.empty() ? "[RESOLVED] " : "") +
                                   title_of(notification)),
                          kSubject))},
      {"Date", rfc5322_date(now)},
      {"Message-ID", message_id(message, mail.from)}};
  if (!thread.empty()) {
    headers.emplace_back("In-Reply-To", one_line(thread));
    headers.emplace_back("References", one_line(thread));
  }
  headers.emplace_back("Auto-Submitted", "auto-generated");
  headers.emplace_back("X-Weir-Status", notification.status);
  for (const auto& [name, value] : mail.headers) {
    const auto same = std::ranges::find_if(headers, [&](const auto& one) { return same_header(one.first, name); });
    if (same == headers.end()) {
      headers.emplace_back(name, encoded_value(name, value));
    } else {
      same->second = encoded_value(name, value);
    }
  }
  std::string out;
  for (const auto& [name, value] : headers) out += fmt::format("{}: {}\r\n", name, value);
  out += "MIME-Version: 1.0\r\n";
  const std::string plain =
      part("text/plain", (mail.text.empty() ? own_text(notification, external_url) : mail.text) + mail.note);
  if (mail.html.empty()) return out + plain;
  // No line of base64 begins with "--".
  const std::string boundary = fmt::format("weir-{:016x}", core::Labels{{"key", message.idempotency_key}}.hash());
  return out +
         fmt::format("Content-Type: multipart/alternative; boundary=\"{0}\"\r\n\r\n--{0}\r\n{1}--{0}\r\n{2}--{0}--\r\n",
                     boundary, plain, part("text/html", mail.html));
}

ParsedNotifier parse_email(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  EmailSettings settings{
      .name = context.what, .server = {}, .mail = {}, .to = {}, .headers = {}, .text = {}, .html = {}};
  read_server(reader, context.global.smtp, settings.server);
  read_mail(reader, context, settings);
  const bool send_resolved = reader.boolean("send_resolved", false);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Email>(settings, tools); }};
}

}  // namespace weir::notify

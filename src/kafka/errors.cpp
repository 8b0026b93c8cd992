#include "kafka/errors.h"

#include <librdkafka/rdkafka.h>
#include <string>

namespace weir::kafka {
namespace {

struct Meaning {
  core::ErrorKind kind;
  std::string_view what;  // follows the subject
};

bool contains(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

constexpr int kFirstWithScramOfKafka4 = 0x02060100;

constexpr std::string_view kExpired = "the certificate has expired";
constexpr std::string_view kNotYet = "the certificate is not valid yet";
constexpr std::string_view kOtherHost = "the certificate is for another host";
constexpr std::string_view kUntrusted = "the certificate is of no authority that is trusted";
constexpr std::string_view kRevoked = "the certificate was revoked";

Meaning tls_meaning(std::string_view detail) {
  using core::ErrorKind;
  if (contains(detail, kExpired))
    return {ErrorKind::unavailable, "the broker's certificate has expired; renew it, or check this machine's clock"};
  if (contains(detail, kNotYet))
    return {ErrorKind::unavailable, "the broker's certificate is not valid yet; check this machine's clock"};
  if (contains(detail, kOtherHost)) {
    return {ErrorKind::unavailable,
            "the broker's certificate is for another host; give brokers (and the brokers' advertised.listeners) by a "
            "name that is in it"};
  }
  if (contains(detail, kUntrusted)) {
    return {ErrorKind::unavailable,
            "the broker's certificate is not signed by an authority that is trusted; set ssl.ca.location to the "
            "certificate of the one that signed it"};
  }
  if (contains(detail, "alert certificate required") || contains(detail, "alert bad certificate")) {
    return {ErrorKind::denied,
            "the broker wants a client's certificate; set ssl.certificate.location and ssl.key.location to one that "
            "it trusts"};
  }
  if (contains(detail, "alert unknown ca") || contains(detail, "alert certificate")) {
    return {ErrorKind::denied, "the broker refused Weir's certificate; check ssl.certificate.location"};
  }
  return {ErrorKind::unavailable, "TLS failed; check ssl.ca.location and that the port is a TLS listener"};
}

Meaning connection_meaning(int code, std::string_view detail) {
  using core::ErrorKind;
  // A broker that has SASL on this listener names its mechanisms even when it refuses one.
  const bool no_sasl = contains(detail, "not valid in current SASL state") || contains(detail, "mechanisms: (empty)");
  switch (code) {
    case RD_KAFKA_RESP_ERR__BAD_MSG:
      if (!contains(detail, "Invalid response size")) return {ErrorKind::protocol, {}};
      return {ErrorKind::protocol,
              "this is no Kafka listener, or it wants TLS; check the port in brokers, and security.protocol"};
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      if (no_sasl) {
        return {ErrorKind::denied,
                "this listener offers no SASL; set security.protocol to PLAINTEXT or SSL, or use the port of its SASL "
                "listener"};
      }
      if (contains(detail, "Failed to acquire SASL OAUTHBEARER token")) {
        return {ErrorKind::denied, "there is no token to log in with"};
      }
      if (contains(detail, "Unsupported SASL mechanism")) {
        return {ErrorKind::denied, "the broker does not offer this SASL mechanism; check sasl.mechanism"};
      }
      if (contains(detail, "GSSAPI") || contains(detail, "Kerberos")) {
        return {ErrorKind::denied,
                "there is no ticket to log in with, or not for this broker; check sasl.kerberos.keytab, "
                "sasl.kerberos.principal, sasl.kerberos.service.name and krb5.conf (kinit tells more)"};
      }
      [[fallthrough]];
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      // Until 2.6.1 librdkafka repeats the client's nonce, which Kafka 4 refuses (RFC 5802, 5.1).
      if (contains(detail, "SCRAM") && rd_kafka_version() < kFirstWithScramOfKafka4) {
        return {ErrorKind::denied,
                "the broker refused the login; check sasl.mechanism, sasl.username and sasl.password; if this is Kafka "
                "4, SCRAM needs librdkafka 2.6.1 or later, and Weir runs with an older one"};
      }
      return {ErrorKind::denied, "the broker refused the login; check sasl.mechanism, sasl.username and sasl.password"};
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
      return {ErrorKind::denied, "the broker does not offer this SASL mechanism; check sasl.mechanism"};
    case RD_KAFKA_RESP_ERR__SSL: return tls_meaning(detail);
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return {ErrorKind::unavailable, "a broker's host name cannot be resolved; check brokers"};
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      // A broker says only after the handshake that it does not like a client's certificate.
      if (contains(detail, "SSL routines")) return tls_meaning(detail);
      [[fallthrough]];
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return {ErrorKind::unavailable,
              "no broker can be reached; check that it runs, brokers, and that security.protocol is the listener's"};
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return {ErrorKind::timeout, "no answer in time; check the brokers' load, or raise request_timeout"};
    case RD_KAFKA_RESP_ERR__DESTROY: return {ErrorKind::cancelled, "shutting down"};
    default: return {ErrorKind::protocol, {}};
  }
}

Meaning meaning_of(int code, std::string_view detail) {
  using core::ErrorKind;
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {ErrorKind::denied,
              "not allowed; grant this user DESCRIBE (and READ for dead-letter topics) on the topic"};
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return {ErrorKind::denied, "not allowed; grant this user DESCRIBE on the group"};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {ErrorKind::denied, "not allowed; grant this user DESCRIBE on the cluster, or give groups.names"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return {ErrorKind::not_found, "does not exist"};
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: return {ErrorKind::not_found, "does not exist"};
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
      return {ErrorKind::unavailable, "the group coordinator is moving or loading; it is asked again next cycle"};
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
      return {ErrorKind::unavailable, "a partition has no leader that answers; check its broker"};
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
      return {ErrorKind::unavailable, "a transaction has yet to commit its offsets"};
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      return {ErrorKind::protocol, "the broker does not support this request; give groups.names and topics.names"};
    default: return connection_meaning(code, detail);
  }
}

/// Removes the first `before<digits>after`, where there is one.
void erase_number(std::string& text, std::string_view before, std::string_view after) {
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
    const std::size_t digits = at + before.size();
    const std::size_t end = std::min(text.find_first_not_of("0123456789", digits), text.size());
    if (end == digits || text.compare(end, after.size(), after) != 0) continue;
    text.erase(at, end + after.size() - at);
    return;
  }
}

/// Advice that is wrong for all but one of the reasons for which a certificate is refused.
constexpr std::string_view kCertificateAdvice =
    ": broker certificate could not be verified, verify that ssl.ca.location is correctly configured";

/// Removes the words and what follows, up to a parenthesis, or with it where it is a closing one.
void erase_from(std::string& text, std::string_view words, std::string_view until = " (") {
  const std::size_t at = text.find(words);
  if (at == std::string::npos) return;
  const std::size_t end = std::min(text.find(until, at), text.size());
  text.erase(at, end - at + (until == ")" && end < text.size() ? 1 : 0));
}

}  // namespace

std::string_view certificate_words(int code) {
  switch (code) {
    case 9: return kNotYet;    // X509_V_ERR_CERT_NOT_YET_VALID
    case 10: return kExpired;  // X509_V_ERR_CERT_HAS_EXPIRED
    case 23: return kRevoked;  // X509_V_ERR_CERT_REVOKED
    case 62:
    case 64: return kOtherHost;  // ..._HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
    case 2:
    case 18:
    case 19:
    case 20:
    case 21:
    case 27: return kUntrusted;  // issuer unknown, self-signed, untrusted
    default: return "the certificate is refused";
  }
}

std::string steady(std::string_view detail) {
  std::string text(detail);
  erase_number(text, ", ", " identical error(s) suppressed");
  erase_number(text, "after ", "ms ");
  return text;
}

bool same_trouble(std::string_view one, std::string_view other) {
  const auto essence = [](std::string_view detail) {
    std::string text = steady(detail);
    text.erase(0, std::min(text.find(": ") + 2, text.size()));  // the broker
    const std::size_t address = text.find("ipv");
    const std::size_t mark = text.find('#', address);
    if (address != std::string::npos && mark == address + 4) text.erase(address, text.find(' ', mark) - address);
    return text;
  };
  return essence(one) == essence(other);
}

core::Error to_error(int code, std::string_view subject, std::string_view detail) {
  const Meaning meaning = meaning_of(code, detail);
  const std::string_view library = rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code));
  std::string message(subject);
  if (!message.empty()) message += ": ";
  message += meaning.what.empty() ? library : meaning.what;
  // librdkafka's advice to raise a limit would help nobody here.
  std::string said = steady(detail);
  if (code == RD_KAFKA_RESP_ERR__BAD_MSG && !meaning.what.empty())
    erase_from(said, ": increase receive.message.max.bytes");
  if (contains(said, "; the certificate")) erase_from(said, kCertificateAdvice, ")");
  if (!said.empty() && said != library) message.append(" (").append(said).append(")");
  return core::fail(meaning.kind, std::move(message)).error();
}

bool is_connection_error(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: return true;
    default: return false;
  }
}

}  // namespace weir::kafka

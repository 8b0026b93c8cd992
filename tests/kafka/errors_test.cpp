#include "kafka/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

namespace weir::kafka {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string message(int code, std::string_view detail) { return to_error(code, "brokers b:9092", detail).message; }

TEST(KafkaErrors, WhatSpeaksAnotherProtocolIsNoMessageThatIsTooLong) {
  const std::string text =
      message(RD_KAFKA_RESP_ERR__BAD_MSG,
              "b:9092/bootstrap: Receive failed: Invalid response size 1157627904 (0..100000000): increase "
              "receive.message.max.bytes (after 3ms in state APIVERSION_QUERY)");
  EXPECT_THAT(text, HasSubstr("this is no Kafka listener, or it wants TLS"));
  EXPECT_THAT(text, HasSubstr("security.protocol"));
  EXPECT_THAT(text, HasSubstr("(0..100000000) (in state APIVERSION_QUERY)"));
  EXPECT_THAT(text, Not(HasSubstr("increase")));
  EXPECT_THAT(message(RD_KAFKA_RESP_ERR__BAD_MSG, "parse error"), Not(HasSubstr("TLS")));
}

TEST(KafkaErrors, AListenerWithoutSaslIsNamedAndNotThePassword) {
  for (const char* detail :
       {"sasl_plaintext://b:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not valid in "
        "current "
        "SASL state: broker's supported mechanisms:  (after 3ms in state AUTH_HANDSHAKE)",
        "sasl_plaintext://b:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: "
        "broker's supported mechanisms: (empty)"}) {
    const std::string text = message(RD_KAFKA_RESP_ERR__AUTHENTICATION, detail);
    EXPECT_THAT(text, HasSubstr("this listener offers no SASL; set security.protocol to PLAINTEXT or SSL")) << detail;
    EXPECT_THAT(text, Not(HasSubstr("sasl.password"))) << detail;
  }
  EXPECT_THAT(message(RD_KAFKA_RESP_ERR__AUTHENTICATION, "SASL authentication error: Authentication failed"),
              HasSubstr("the broker refused the login"));
}

TEST(KafkaErrors, ACertificateThatIsRefusedSaysWhyAndWhatToDo) {
  const auto text = [](int certificate) {
    return message(RD_KAFKA_RESP_ERR__SSL, "certificate verify failed; " + std::string(certificate_words(certificate)));
  };
  EXPECT_THAT(text(10), HasSubstr("has expired; renew it"));
  EXPECT_THAT(text(9), HasSubstr("is not valid yet"));
  EXPECT_THAT(text(62), HasSubstr("is for another host; give brokers"));
  EXPECT_THAT(text(64), HasSubstr("is for another host; give brokers"));
  EXPECT_THAT(text(20), HasSubstr("set ssl.ca.location"));
  EXPECT_THAT(text(18), HasSubstr("set ssl.ca.location"));
  EXPECT_THAT(text(7), HasSubstr("TLS failed"));
}

TEST(KafkaErrors, AdviceThatDoesNotFitTheCertificateIsLeftOut) {
  const std::string text = message(
      RD_KAFKA_RESP_ERR__SSL,
      "ssl://b:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker "
      "certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA certificates "
      "are installed (install ca-certificates package) (after 4ms in state SSL_HANDSHAKE); the certificate has "
      "expired");
  EXPECT_THAT(text, Not(HasSubstr("ssl.ca.location")));
  EXPECT_THAT(text, HasSubstr("certificate verify failed (in state SSL_HANDSHAKE); the certificate has expired)"));
}

TEST(KafkaErrors, AMissingTicketIsNoWrongPassword) {
  const std::string text = message(
      RD_KAFKA_RESP_ERR__AUTHENTICATION,
      "sasl_plaintext://b:9092/bootstrap: Failed to initialize SASL authentication: SASL handshake failed (start "
      "(-1)): SASL(-1): generic failure: GSSAPI Error: No credentials were supplied (in state AUTH_REQ)");
  EXPECT_THAT(text, HasSubstr("there is no ticket to log in with, or not for this broker; check sasl.kerberos.keytab"));
  EXPECT_THAT(text, Not(HasSubstr("sasl.password")));
}

TEST(KafkaErrors, AMechanismThatTheBrokerLacksIsNoWrongPassword) {
  EXPECT_THAT(message(RD_KAFKA_RESP_ERR__AUTHENTICATION,
                      "SASL OAUTHBEARER mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's "
                      "supported mechanisms: SCRAM-SHA-512"),
              HasSubstr("does not offer this SASL mechanism; check sasl.mechanism"));
}

TEST(KafkaErrors, ABrokerThatWantsACertificateOrRefusesOneIsDenied) {
  EXPECT_THAT(message(RD_KAFKA_RESP_ERR__TRANSPORT,
                      "Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
                      "certificate: SSL alert number 42 (in state APIVERSION_QUERY)"),
              HasSubstr("wants a client's certificate"));
  const core::Error wanted = to_error(RD_KAFKA_RESP_ERR__SSL, "", "tlsv13 alert certificate required");
  EXPECT_EQ(wanted.kind, core::ErrorKind::denied);
  EXPECT_THAT(wanted.message, HasSubstr("set ssl.certificate.location and ssl.key.location"));
  EXPECT_THAT(to_error(RD_KAFKA_RESP_ERR__SSL, "", "tlsv1 alert unknown ca").message,
              HasSubstr("check ssl.certificate.location"));
}

TEST(KafkaErrors, RepetitionsOfOneTroubleReadTheSame) {
  const std::string first =
      "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused "
      "(after 0ms in state CONNECT)";
  const std::string later =
      "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused "
      "(after 12ms in state CONNECT, 30 identical error(s) suppressed)";
  EXPECT_EQ(message(RD_KAFKA_RESP_ERR__TRANSPORT, first), message(RD_KAFKA_RESP_ERR__TRANSPORT, later));
  EXPECT_THAT(message(RD_KAFKA_RESP_ERR__TRANSPORT, later), HasSubstr("Connection refused (in state CONNECT))"));
  EXPECT_EQ(steady("after lunch, some identical error(s) suppressed"),
            "after lunch, some identical error(s) suppressed");
  EXPECT_EQ(steady(", 5 identical error(s) suppressed"), "");
}

TEST(KafkaErrors, TroubleIsTheSameAtAnotherBrokerOrAddress) {
  const std::string_view four =
      "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused "
      "(after 0ms in state CONNECT)";
  EXPECT_TRUE(same_trouble(four,
                           "c:9092/2: Connect to ipv6#[::1]:9092 failed: Connection refused (after 5ms in state "
                           "CONNECT, 2 identical error(s) suppressed)"));
  EXPECT_FALSE(same_trouble(four,
                            "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: No route to host "
                            "(after 0ms in state CONNECT)"));
  EXPECT_FALSE(same_trouble("", four));
  EXPECT_TRUE(same_trouble("ipv4#", "ipv4#"));
}

}  // namespace
}  // namespace weir::kafka

#include "privacy/pii.h"

#include <gtest/gtest.h>
#include <string>

namespace weir::privacy {
namespace {

using Kinds = std::set<std::string_view>;

TEST(PiiNames, SayWhatTheyHoldHoweverTheirWordsAreJoined) {
  for (const char* name :
       {"email", "customer_email", "customerEmail", "CUSTOMER_EMAIL", "customer-email", "user.e_mail"}) {
    EXPECT_EQ(pii_of_name(name), "email") << name;
  }
  EXPECT_EQ(pii_of_name("dateOfBirth"), "birth date");
  EXPECT_EQ(pii_of_name("billing_address"), "address");
  EXPECT_EQ(pii_of_name("client_ip"), "ip");
  EXPECT_EQ(pii_of_name("payload.customer.lastName"), "name");
  EXPECT_EQ(pii_of_name("api_key"), "credentials");
}

TEST(PiiNames, WordsWithinOthersSayNothing) {
  for (const char* name : {"", ".", "trip_id", "company", "pancake", "shipping_date", "name", "product_name", "zipped",
                           "expand", "description", "address_id_count_x"}) {
    EXPECT_EQ(pii_of_name(name), "") << name;
  }
}

TEST(PiiValues, AreKnownByTheirPatternAndCheckDigits) {
  EXPECT_EQ(pii_in("write to Jane.Doe+x@mail.example.co.uk, please"), Kinds{"email"});
  EXPECT_EQ(pii_in("DE89 3704 0044 0532 0130 00"), Kinds{"iban"});
  EXPECT_EQ(pii_in("GB82WEST12345698765432"), Kinds{"iban"});
  EXPECT_EQ(pii_in("DE89370400440532013000 from here to there"), Kinds{"iban"});
  EXPECT_EQ(pii_in("xGB82WEST12345698765432"), Kinds{});
  EXPECT_EQ(pii_in("paid with 4111-1111-1111-1111"), Kinds{"card"});
  EXPECT_EQ(pii_in("{\"ip\":\"203.0.113.9\"}"), Kinds{"ip"});
  EXPECT_EQ(pii_in("+49 (30) 1234-5678"), Kinds{"phone"});
  EXPECT_EQ(pii_in("078-05-1120"), Kinds{"national id"});
  EXPECT_EQ(pii_in("a@b.de from 198.51.100.7"), (Kinds{"email", "ip"}));
}

TEST(PiiValues, WhatOnlyLooksAlikeIsNone) {
  for (const std::string value : {"",
                                  "user@host",
                                  "@",
                                  "a@b",
                                  "1.2.3",
                                  "1.2.3.4.5",
                                  "999.1.1.1",
                                  "127.0.0.1",
                                  "4111111111111112",
                                  "1700000000000",
                                  "1699913600123456",
                                  "0000000000000000",
                                  "3333333333333333",
                                  "DE00370400440532013000",
                                  "ORDER12345678901234567",
                                  "2023-11-14T22:13:20Z",
                                  "d9b2d63d-a233-4123-847a-7f3f8a9c0b11",
                                  "000-12-3456",
                                  "666-12-3456",
                                  "12345678",
                                  "+1",
                                  "3.14159265358979"}) {
    EXPECT_EQ(pii_in(value), Kinds{}) << value;
  }
  EXPECT_EQ(pii_in(std::string(100'000, '9') + "a@b.de"), Kinds{}) << "what lies beyond the bound is not looked at";
}

TEST(PiiTallies, OneAddressSaysItAndOneThatMayBeChanceDoesNot) {
  PiiTally emails;
  for (int i = 0; i < 999; ++i) emails.add("no");
  emails.add("a@b.de");
  EXPECT_EQ(emails.found(), (std::map<std::string_view, std::size_t>{{"email", 1}}));
  PiiTally versions;
  for (int i = 0; i < 100; ++i) versions.add(i < 4 ? "10.2.3.4" : "none");
  EXPECT_TRUE(versions.found().empty());
  versions.add("10.2.3.4");
  versions.add("10.2.3.4");
  EXPECT_EQ(versions.found(), (std::map<std::string_view, std::size_t>{{"ip", 6}}));
  EXPECT_EQ(versions.values(), 102U);
}

}  // namespace
}  // namespace weir::privacy

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace weir::net {
namespace {

TEST(ListenAddressTest, ReadsAddressesAndKnowsLoopback) {
  const auto four = parse_listen_address("127.0.0.1:9877");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->host, "127.0.0.1");
  EXPECT_EQ(four->port, 9877);
  EXPECT_TRUE(four->loopback);
  const auto six = parse_listen_address("[::1]:0");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_TRUE(six->loopback);
  EXPECT_TRUE(parse_listen_address("localhost:80")->loopback);
  EXPECT_FALSE(parse_listen_address("0.0.0.0:80")->loopback);
  EXPECT_FALSE(parse_listen_address("[::]:80")->loopback);
}

TEST(ListenAddressTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1", "::1:80", "[::1]",
        "example.org:80", "127.0.0.1:80 ", "[127.0.0.1]:80", "[]:80", "999.0.0.1:80"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, core::ErrorKind::invalid);
  }
}

TEST(LoopbackHostTest, AcceptsOnlyNamesThatNoOneElseCanOwn) {
  for (const char* host :
       {"localhost", "LocalHost:9877", "127.0.0.1", "127.0.0.1:9877", "127.1.2.3:1", "[::1]", "[::1]:9877"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host :
       {"", ":80", "evil.org", "127.evil.org", "127.0.0.1.evil.org", "localhost.evil.org", "localhost:80@evil.org",
        "127.0.0.1:8x", "127.0.0.1 ", "[::1", "[::1]x", "[::2]", "10.0.0.1", "127.0.0", "[", "localhost:1234567"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(UrlHostTest, IsTheNameThatAHostHeaderHas) {
  for (const auto& [url, host] :
       std::vector<std::pair<std::string, std::string>>{{"http://weir.internal", "weir.internal"},
                                                        {"https://Weir.Internal:8080/sub?x=1#y", "weir.internal"},
                                                        {"http://user:pw@weir:1/", "weir"},
                                                        {"http://weir?a@b", "weir"},
                                                        {"http://[::1]:80/x", "[::1]"},
                                                        {"http://10.0.0.1", "10.0.0.1"}}) {
    EXPECT_EQ(url_host(url), host) << url;
  }
  for (const char* url :
       {"", "5", "weir.internal", "ftp://weir", "http:", "http://", "http:///x", "http://:80", "http://a b",
        "http://a\n", "http://weir:port", "http://weir:65536", "http://weir:0", "http://[::1", "http://a[b]"}) {
    EXPECT_EQ(url_host(url), "") << url;
  }
}

TEST(ServerRequestTest, ParametersComeFromTheQueryAndAForm) {
  ServerRequest request;
  request.query = "query=sum%28up%29+%3E+0&time=5&&flag&a=1=2";
  EXPECT_EQ(request.parameters(), (std::vector<std::pair<std::string, std::string>>{
                                      {"query", "sum(up) > 0"}, {"time", "5"}, {"flag", ""}, {"a", "1=2"}}));
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = "query=up";
  EXPECT_EQ(request.parameters().back(), (std::pair<std::string, std::string>{"query", "up"}));
  request.headers = {{"content-type", "text/plain"}};
  EXPECT_EQ(request.parameters().size(), 4U);
}

TEST(PercentDecodeTest, LeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decode("/a%20b%2Fc+d"), "/a b/c+d");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

}  // namespace
}  // namespace weir::net

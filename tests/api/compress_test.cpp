#include "api/compress.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace weir::api {
namespace {

std::string unpacked(const std::string& packed) {
  std::string out(64U << 20U, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

net::ServerRequest asking(const std::string& accepted) {
  net::ServerRequest request;
  request.headers = {{"accept-encoding", accepted}};
  return request;
}

std::string header(const net::ServerResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(CompressTest, KnowsWhoTakesGzip) {
  for (const char* taken : {"gzip", "deflate, gzip;q=1.0, *;q=0.5", "GZIP", "br,gzip", "*", "x-gzip", "gzip; q=0.001"})
    EXPECT_TRUE(accepts_gzip(taken)) << taken;
  for (const char* refused : {"", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0, *", "gzipped", ",,;", "q=1"})
    EXPECT_FALSE(accepts_gzip(refused)) << refused;
}

TEST(CompressTest, ALargeAnswerIsPackedWithAllItsParts) {
  net::ServerResponse response = net::ServerResponse::text(200, std::string(3000, 'a'));
  std::string expected = *response.body;
  unsigned seed = 1;
  for (int i = 0; i < 50; ++i) {
    std::string part(static_cast<std::size_t>(i) * 1000, '\0');
    for (char& c : part) c = static_cast<char>((seed = seed * 1664525U + 1013904223U) >> 24U);
    expected += part;
    response.parts.push_back(std::make_shared<const std::string>(std::move(part)));
  }
  compress(asking("gzip"), response);
  EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
  EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
  EXPECT_TRUE(response.parts.empty());
  EXPECT_EQ(unpacked(*response.body), expected);
}

std::string packed(const std::string& text) {
  net::ServerResponse response = net::ServerResponse::text(200, text);
  compress(asking("gzip"), response);
  return *response.body;
}

TEST(GunzippedTest, UnpacksWhatWasPacked) {
  const std::string text(300'000, 'x');
  const auto unpacked = gunzipped(packed(text), text.size());
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(*unpacked, text);
}

TEST(GunzippedTest, WhatGrowsTooLargeIsRefused) {
  const auto refused = gunzipped(packed(std::string(300'000, 'x')), 299'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, core::ErrorKind::limit);
}

TEST(GunzippedTest, WhatIsCutShortOrNoneIsRefused) {
  const std::string whole = packed(std::string(3000, 'x'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto refused = gunzipped(whole.substr(0, size), 1U << 20U);
    ASSERT_FALSE(refused) << size;
    EXPECT_EQ(refused.error().kind, core::ErrorKind::invalid);
  }
  EXPECT_FALSE(gunzipped("{}", 1U << 20U));
}

TEST(CompressTest, ASmallAnswerAndAClientThatDoesNotAskStayAsTheyAre) {
  net::ServerResponse small = net::ServerResponse::text(200, std::string(1024, 'a'));
  compress(asking("gzip"), small);
  EXPECT_EQ(small.body->size(), 1024U);
  EXPECT_TRUE(small.headers.empty());
  net::ServerResponse large = net::ServerResponse::text(200, std::string(1025, 'a'));
  compress(asking("identity"), large);
  EXPECT_EQ(large.body->size(), 1025U);
  EXPECT_EQ(header(large, "Content-Encoding"), "");
  EXPECT_EQ(header(large, "Vary"), "Accept-Encoding");
  net::ServerResponse none;
  compress(asking("gzip"), none);
  EXPECT_EQ(none.body, nullptr);
}

TEST(CompressTest, APackedAnswerHasAWeakTag) {
  net::ServerResponse response = net::ServerResponse::text(200, std::string(5000, 'a'));
  response.headers = {{"ETag", "\"1\""}};
  compress(asking("gzip"), response);
  EXPECT_EQ(header(response, "ETag"), "W/\"1\"");
}

}  // namespace
}  // namespace weir::api

#include "app/remote_files.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

/// A server with one file, which it tags.
class TaggedFile final : public net::HttpClient {
 public:
  int status = 200;
  std::string body = "one";
  std::string etag = "\"1\"";
  net::HttpRequest last;

  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    last = request;
    for (const auto& [name, value] : request.headers) {
      if (name == "If-None-Match" && value == etag) return net::HttpResponse{304, {}, ""};
    }
    return net::HttpResponse{status, {{"etag", etag}}, body};
  }
};

class RemoteFilesTest : public testing::Test {
 protected:
  core::Result<std::string> fetch() {
    const core::CollectContext context{
        .now = {}, .deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5), .stop = {}};
    return files_.fetch("https://bucket/file", login_, 1000, context);
  }

  TaggedFile server_;
  RemoteFiles files_{server_};
  quality::RemoteLogin login_{.bearer_token = core::Secret("t"), .ca_file = "ca.pem"};
};

TEST_F(RemoteFilesTest, WhatHasNotChangedIsKept) {
  EXPECT_EQ(fetch(), "one");
  EXPECT_EQ(server_.last.bearer.reveal(), "t");
  EXPECT_EQ(server_.last.ca_file, "ca.pem");
  EXPECT_EQ(server_.last.max_response_bytes, 1000U);
  EXPECT_LE(server_.last.timeout, std::chrono::seconds(5)) << "no longer than the cycle";
  server_.body = "never sent, for the tag is the same";
  EXPECT_EQ(fetch(), "one");
  server_.etag = "\"2\"";
  server_.body = "two";
  EXPECT_EQ(fetch(), "two");
}

TEST_F(RemoteFilesTest, WithoutATagItIsFetchedEachTime) {
  server_.etag = "";
  EXPECT_EQ(fetch(), "one");
  server_.body = "two";
  EXPECT_EQ(fetch(), "two");
  EXPECT_TRUE(server_.last.headers.empty());
}

TEST_F(RemoteFilesTest, OtherAnswersAreErrorsByTheirKind) {
  for (const auto& [status, kind] :
       {std::pair{401, core::ErrorKind::denied}, std::pair{403, core::ErrorKind::denied},
        std::pair{404, core::ErrorKind::not_found}, std::pair{503, core::ErrorKind::unavailable},
        std::pair{302, core::ErrorKind::protocol}}) {
    server_.status = status;
    const auto answer = fetch();
    ASSERT_FALSE(answer) << status;
    EXPECT_EQ(answer.error().kind, kind) << status;
  }
}

}  // namespace
}  // namespace weir::app

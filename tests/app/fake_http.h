#pragma once

#include <string>
#include <vector>

#include "net/http_client.h"

namespace weir::test {

/// Answers every request alike and remembers what was asked.
class FakeHttp : public net::HttpClient {
 public:
  std::string body;
  std::string content_type = "application/json";
  int status = 200;
  std::vector<std::string> urls;

  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    urls.push_back(request.url);
    return net::HttpResponse{status, {{"content-type", content_type}}, body};
  }
};

}  // namespace weir::test

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/alertmanager_api.h"

#include "../api/fake_backend.h"

namespace {

weir::core::NotificationView no_view() { return {}; }

/// Silences that are taken are kept, so that they are shown again.
struct Silences {
  std::vector<weir::core::Silence> all;
  weir::core::Result<std::string> set(weir::core::Silence silence) {
    if (silence.id.empty()) silence.id = "1";
    all = {silence};
    return silence.id;
  }
};

}  // namespace

// What strangers post to Weir: a silence's body (amtool), and an Alertmanager's webhook. Every body is answered with a
// status, what is taken can be shown as JSON, and the number of alerts and the receiver's name are bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static weir::api::FakeBackend fake;
  Silences silences;
  weir::api::Backend backend = fake.backend();
  backend.notifications.view = [] { return std::make_shared<const weir::core::NotificationView>(no_view()); };
  backend.notifications.silences = [&] { return silences.all; };
  backend.notifications.set_silence = [&](weir::core::Silence silence) { return silences.set(std::move(silence)); };
  backend.notifications.told = [](std::vector<weir::core::Labels> alerts,
                                  std::string text) -> weir::core::Result<void> {
    if (alerts.size() > 1000 || text.size() > 300) std::abort();
    return {};
  };
  weir::net::ServerRequest request;
  request.method = "POST";
  request.path = "/api/v2/silences";
  request.body.assign(reinterpret_cast<const char*>(data), size);
  const auto posted = weir::api::alertmanager_api(backend, request);
  if (posted.status != 200 && posted.status != 400) std::abort();
  if (posted.status == 200) {
    request.method = "GET";
    if (weir::api::alertmanager_api(backend, request).status != 200) std::abort();
    request.method = "POST";
  }
  request.path = "/api/weir/v1/alertmanager-webhook";
  const auto told = weir::api::alertmanager_webhook(backend, request);
  if (told.status != 200 && told.status != 400) std::abort();
  return 0;
}

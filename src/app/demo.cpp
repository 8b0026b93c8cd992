#include <array>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <latch>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "app/app.h"
#include "app/commands.h"
#include "app/demo_files.h"
#include "app/demo_registry.h"
#include "app/demo_shop.h"
#include "app/settings.h"
#include "kafka/mock_cluster.h"
#include "net/http_server.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/worker_pool.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

/// A folder under the system's temporary one, gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

core::Result<kafka::MockCluster> start_cluster() {
  auto cluster = kafka::MockCluster::start(1);
  if (!cluster) return cluster;
  const std::array<std::pair<const char*, int>, 4> topics{
      {{"orders", 6}, {"payments", 3}, {"user.clicks", 3}, {"user.clicks.dlt", 1}}};
  // The mock looks for such requests every half second only: asked side by side, all are served at once.
  std::array<core::Result<void>, topics.size()> made;
  {
    std::latch done(topics.size());
    runtime::WorkerPool pool("topics", topics.size(), topics.size());
    for (std::size_t i = 0; i < topics.size(); ++i) {
      (void)pool.submit([&, i](const std::stop_token&) {
        made[i] = cluster->create_topic(topics[i].first, topics[i].second);
        done.count_down();
      });
    }
    done.wait();
  }
  for (const core::Result<void>& topic : made) {
    if (!topic) return std::unexpected(topic.error());
  }
  return cluster;
}

core::Result<std::unique_ptr<net::HttpServer>> serve_registry(runtime::Loop& loop, DemoRegistry& registry) {
  registry.add_version("OrderPlaced-value",
                       R"({"type":"record","name":"OrderPlaced","fields":[{"name":"order_id","type":"string"}]})");
  registry.add_version("OrderPlaced-value",
                       R"({"type":"record","name":"OrderPlaced","fields":[{"name":"order_id","type":"string"},)"
                       R"({"name":"amount","type":"double","default":0}]})");
  registry.add_version("PaymentTaken-value",
                       R"({"type":"record","name":"PaymentTaken","fields":[{"name":"order_id","type":"string"}]})");
  return net::HttpServer::start(
      loop, {.listen = {.host = "127.0.0.1", .port = 0, .loopback = true}, .stream_path = {}, .limits = {}},
      [&registry](const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder) {
        const DemoRegistry::Answer answer = registry.handle(request.method, request.path, request.body);
        responder->send(net::ServerResponse::json(answer.status, answer.body));
      },
      [](const std::shared_ptr<net::EventStream>&) {});
}

int fail(const core::Error& error) {
  std::cerr << "weir: " << error.describe() << "\n";
  return kExitFailed;
}

}  // namespace

int demo(const DemoOptions& options) {
  const TemporaryFolder temporary;
  const std::filesystem::path folder =
      options.folder.empty() ? temporary.path() : std::filesystem::absolute(options.folder);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const runtime::SystemClock clock;
  runtime::Loop loop;
  loop.on_signals({SIGINT, SIGTERM}, [&loop](int) { loop.stop(); });
  auto cluster = start_cluster();
  if (!cluster) return fail(cluster.error());
  DemoRegistry registry;
  auto registry_server = serve_registry(loop, registry);
  if (!registry_server) return fail(registry_server.error());
  const DemoPlaces places{.listen = options.listen,
                          .brokers = cluster->bootstrap_servers(),
                          .registry_url = "http://127.0.0.1:" + std::to_string((*registry_server)->port()),
                          .folder = folder,
                          .root = std::filesystem::absolute(options.root)};
  auto shop = DemoShop::open(places, clock.now());
  if (!shop) return fail(shop.error());
  // The shop has a little past when the watching begins: tables exist, a candidate is there.
  (*shop)->step(clock.now());
  if (auto written = write_file(places.config(), demo_config(places)); !written) return fail(written.error());
  auto settings = load_settings(places.config().string());
  if (!settings) {
    std::cerr << settings.error().to_string();
    return kExitUsage;
  }
  auto app = App::build(std::move(*settings), loop);
  if (!app) return fail(app.error());
  (*app)->start();
  runtime::WorkerPool shop_worker("shop", 1, 4);
  const auto shop_timer = loop.every(
      100ms, 0ms, [&] { (void)shop_worker.submit([&](const std::stop_token&) { (*shop)->step(clock.now()); }); });
  std::cout << "Weir watches the demo shop: " << (*app)->page_url() << " (Ctrl-C ends it)" << std::endl;
  loop.run();
  shop_worker.stop();
  (*app)->stop();
  return kExitOk;
}

}  // namespace weir::app

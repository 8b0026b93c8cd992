// The collector of a schema registry against a server on this machine that answers each request after 20 ms, as one in
// another region does. Subjects × versions, each version compatible with the one before it.
//
// Targets at 8 requests at once: 300 requests a second (400 are possible), so that a quiet cycle of 1,000 subjects
// takes less than 8 s, and one of 10,000 does its turn of 15,000 requests. `Cold` is the first cycle, which reads and
// checks every version; `Warm` one in which nothing has changed; `Parallel` the same by requests at once.

#include <atomic>
#include <benchmark/benchmark.h>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <memory>
#include <sys/resource.h>
#include <thread>

#include "collectors/schema_registry.h"
#include "net/http_server.h"
#include "runtime/loop.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;

constexpr auto kDelay = 20ms;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * time.tv_usec; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Confluent's interface over subjects s0, s1 … of so many versions.
class SlowRegistry {
 public:
  SlowRegistry(int subjects, int versions) {
    subjects_ = "[";
    for (int i = 0; i < subjects; ++i) subjects_ += fmt::format("{}\"s{}-value\"", i == 0 ? "" : ",", i);
    subjects_ += "]";
    versions_ = "[";
    for (int i = 1; i <= versions; ++i) versions_ += fmt::format("{}{}", i == 1 ? "" : ",", i);
    versions_ += "]";
    net::HttpServer::Options options{.listen = *net::parse_listen_address("127.0.0.1:0")};
    server_ = *net::HttpServer::start(
        loop_, options,
        [this](const net::ServerRequest& request, std::shared_ptr<net::Responder> responder) {
          ++asked_;
          const auto timer = std::make_shared<boost::asio::steady_timer>(loop_.context(), kDelay);
          timer->async_wait([timer, responder = std::move(responder), body = answer(request)](const auto&) {
            responder->send(net::ServerResponse::json(200, body));
          });
        },
        [](const auto&) {});
    thread_ = std::jthread([this] { loop_.run(); });
  }
  ~SlowRegistry() {
    loop_.stop();
    thread_.join();
  }
  SlowRegistry(const SlowRegistry&) = delete;
  SlowRegistry& operator=(const SlowRegistry&) = delete;

  std::size_t asked() const { return asked_; }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

 private:
  std::string answer(const net::ServerRequest& request) const {
    const std::string& path = request.path;
    if (request.method == "POST") return R"({"is_compatible":true,"messages":[]})";
    if (path == "/subjects") return subjects_;
    if (path.starts_with("/config")) return R"({"compatibilityLevel":"BACKWARD"})";
    if (path.ends_with("/versions")) return versions_;
    std::string fields;
    for (int i = 0; i < 20; ++i)
      fields += fmt::format(R"({}{{\"name\":\"field_{}\",\"type\":\"long\",\"default\":0}})", i == 0 ? "" : ",", i);
    return fmt::format(
        R"({{"id":1,"schema":"{{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{}]}}","references":[]}})", fields);
  }

  std::string subjects_;
  std::string versions_;
  std::atomic<std::size_t> asked_ = 0;
  runtime::Loop loop_;
  std::unique_ptr<net::HttpServer> server_;
  std::jthread thread_;
};

class Run {
 public:
  Run(const SlowRegistry& server, std::size_t parallel)
      : server_(server), http_(net::make_curl_client()), collector_(settings(server, parallel), *http_) {}

  /// Requests and processor time of one cycle.
  void cycle(benchmark::State& state) {
    now_ += 30s;
    const double before = cpu_seconds();
    const std::size_t asked = server_.asked();
    const auto begun = std::chrono::steady_clock::now();
    const auto batch = collector_.collect({.now = now_, .deadline = begun + 10min, .stop = {}});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    if (!batch || !batch->faults.empty()) return state.SkipWithError("the cycle failed");
    const auto requests = static_cast<double>(server_.asked() - asked);
    state.counters["requests"] = requests;
    state.counters["requests/s"] = requests / took.count();
    state.counters["cpu_ms"] = (cpu_seconds() - before) * 1000;
  }

 private:
  static SchemaRegistrySettings settings(const SlowRegistry& server, std::size_t parallel) {
    SchemaRegistrySettings made;
    made.name = "bench";
    made.endpoint.url = server.url();
    made.parallel = parallel;
    return made;
  }

  const SlowRegistry& server_;
  std::unique_ptr<net::HttpClient> http_;
  SchemaRegistryCollector collector_;
  core::Time now_{1'700'000'000s};
};

void Cold(benchmark::State& state) {
  const SlowRegistry server(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) Run(server, 8).cycle(state);
}
BENCHMARK(Cold)
    ->Args({100, 2})
    ->Args({100, 10})
    ->Args({1000, 2})
    ->Unit(benchmark::kSecond)
    ->Iterations(1)
    ->UseRealTime();

void Warm(benchmark::State& state) {
  const SlowRegistry server(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  Run run(server, 8);
  run.cycle(state);
  for (auto _ : state) run.cycle(state);
}
BENCHMARK(Warm)->Args({100, 10})->Args({1000, 2})->Unit(benchmark::kSecond)->Iterations(1)->UseRealTime();

void Parallel(benchmark::State& state) {
  const SlowRegistry server(300, 2);
  Run run(server, static_cast<std::size_t>(state.range(0)));
  run.cycle(state);
  for (auto _ : state) run.cycle(state);
}
BENCHMARK(Parallel)->Arg(1)->Arg(8)->Arg(32)->Unit(benchmark::kSecond)->Iterations(1)->UseRealTime();

}  // namespace
}  // namespace weir::collectors

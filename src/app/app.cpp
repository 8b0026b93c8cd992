#include "app/app.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "api/routes.h"
#include "app/delivery_worker.h"
#include "app/judge.h"
#include "app/series_keeper.h"
#include "app/step_log.h"
#include "collectors/kafka.h"
#include "net/http_server.h"
#include "quality/collector.h"
#include "runtime/clock.h"
#include "runtime/collector_harness.h"
#include "runtime/log.h"
#include "runtime/scheduler.h"
#include "runtime/self_metrics.h"
#include "runtime/worker_pool.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using core::MetricInfo;
using core::MetricType;

constexpr MetricInfo kBuildInfo{"weir_build_info", MetricType::gauge, "1, with the version."};
constexpr MetricInfo kSeries{"weir_series", MetricType::gauge, "Time series held in memory."};
constexpr MetricInfo kOutbox{"weir_outbox_messages", MetricType::gauge, "Notifications waiting to be delivered."};
constexpr MetricInfo kIncidents{"weir_incidents_open", MetricType::gauge, "Open incidents."};
constexpr MetricInfo kNotifications{"weir_notifications_total", MetricType::counter,
                                    "Attempts to deliver a notification, by outcome."};
constexpr MetricInfo kRuleSeconds{"weir_rule_group_last_duration_seconds", MetricType::gauge,
                                  "Duration of the rule group's last evaluation."};
constexpr MetricInfo kRuleFailures{"weir_rule_evaluation_failures_total", MetricType::counter,
                                   "Rules that could not be evaluated."};
constexpr MetricInfo kStorageFailures{"weir_storage_failures_total", MetricType::counter,
                                      "Commits that failed and were kept for the next try."};
constexpr std::array kOwnMetrics{kBuildInfo,     kSeries,      kOutbox,       kIncidents,
                                 kNotifications, kRuleSeconds, kRuleFailures, kStorageFailures};

constexpr core::Duration kSelfInterval = 5s;
constexpr core::Duration kSaveInterval = 60s;  // of the series: what a restart may lose
constexpr std::size_t kReserve = 2000;         // series past the limit for what tells of a full store
constexpr core::Duration kShownFor = 5min;     // samples on /metrics of a collector that no longer succeeds

std::size_t worker_count(std::size_t collectors) { return std::clamp<std::size_t>(collectors, 2, 16); }

/// Opens the database; a damaged one is set aside, so that monitoring goes on and nothing is overwritten.
core::Result<std::unique_ptr<storage::Store>> open_storage(const std::string& path, core::Time now) {
  auto store = storage::open_sqlite(path);
  const bool damaged =
      !store && (store.error().message.contains("damaged") || store.error().message.contains("not a SQLite"));
  if (!damaged || store.error().message.contains("not a SQLite")) return store;
  auto moved = storage::set_aside(path, now);
  if (!moved) return store;
  runtime::log_error("the database is damaged and was set aside; history begins anew",
                     {{"error", store.error().describe()}, {"kept_as", *moved}});
  return storage::open_sqlite(path);
}

}  // namespace

class App::Impl {
 public:
  Impl(Settings settings, runtime::Loop& loop, std::unique_ptr<storage::Store> storage)
      : settings_(std::move(settings)),
        loop_(loop),
        storage_(std::move(storage)),
        self_(kOwnMetrics),
        series_({.retention = settings_.series.retention,
                 .max_series = settings_.series.max_series,
                 .reserve = kReserve,
                 .reserved = {"self", "status/", "rules/"}}),
        keeper_(series_, settings_.storage.path),
        rules_(std::move(settings_.rule_groups), {.external_url = settings_.external_url}),
        judge_({series_, rules_, *storage_, settings_.routing}),
        http_(net::make_curl_client()),
        backend_(make_backend()),
        delivery_(*storage_, settings_.routing, clock_, [this](const notify::Report& report) { note(report); }),
        judge_pool_("judge", 1, 1000),
        api_pool_("api", 2, 64),
        save_pool_("save", 1, 1) {}

  core::Result<void> build() {
    keeper_.load(clock_.now());
    const auto restored = judge_.restore(clock_.now());
    if (!restored) return std::unexpected(restored.error());
    log_step(*restored);
    if (auto made = make_collectors(); !made) return made;
    judge_.expect(collector_names());
    collector_pool_ = std::make_unique<runtime::WorkerPool>("collect", worker_count(harnesses_.size()), 1000);
    scheduler_ = std::make_unique<runtime::Scheduler>(loop_, *collector_pool_);
    metrics_.describe(runtime::CollectorHarness::metrics());
    metrics_.describe(self_.metrics());
    metrics_.describe(SeriesKeeper::metrics());
    for (const auto& harness : harnesses_) metrics_.describe(harness->collector().metrics());
    self_.set(kBuildInfo.name, {{"version", WEIR_VERSION}}, 1);
    begin_counters();
    return listen();
  }

  void start() {
    for (const auto& harness : harnesses_) {
      harness->start(*scheduler_,
                     [this, &harness](runtime::CycleReport report) { hand_over(*harness, std::move(report)); });
    }
    timers_.push_back(loop_.every(1s, 1s, [this] { submit([this] { show(judge_.tick(clock_.now())); }); }));
    timers_.push_back(loop_.every(kSelfInterval, 0s, [this] { submit([this] { take_self(); }); }));
    timers_.push_back(loop_.every(1min, 1min, [this] { submit([this] { series_.prune(clock_.now()); }); }));
    timers_.push_back(loop_.every(kSaveInterval, kSaveInterval, [this] { save_series(); }));
    timers_.push_back(loop_.every(1h, 1min, [this] { submit([this] { prune_storage(); }); }));
    timers_.push_back(loop_.every(500ms, 500ms, [this] { delivery_.wake(); }));
    timers_.push_back(loop_.every(15s, 15s, [this] { hub_.keep_alive(); }));
  }

  void stop() {
    timers_.clear();
    scheduler_.reset();
    server_.reset();
    if (collector_pool_) collector_pool_->stop();
    judge_pool_.stop();
    api_pool_.stop();
    delivery_.stop();
    save_pool_.stop();
    if (!std::exchange(stopped_, true)) keeper_.save(clock_.now());
  }

  std::string page_url() const {
    return settings_.listen.substr(0, settings_.listen.rfind(':')).insert(0, "http://") + ":" +
           std::to_string(server_->port());
  }

 private:
  api::Backend make_backend() {
    return {.series = series_,
            .metrics = metrics_,
            .assets = api::web_assets(),
            .version = WEIR_VERSION,
            .started_at = clock_.now(),
            .now = [this] { return clock_.now(); },
            .collectors = [this] { return collector_views(); },
            .alerts = [this] { return judge_.view()->alerts; },
            .incidents = [this] { return judge_.view()->incidents; },
            .history =
                [this](std::size_t limit, const std::string& id) {
                  return storage_->incidents({.open_only = false, .limit = limit, .id = id});
                },
            .background =
                [this](std::function<void()> task) {
                  return api_pool_.submit([task = std::move(task)](const std::stop_token&) { task(); });
                }};
  }

  core::Result<void> make_collectors() {
    for (kafka::ClusterSettings& cluster : settings_.clusters)
      add(std::make_unique<collectors::KafkaCollector>(std::move(cluster)));
    for (collectors::SchemaRegistrySettings& registry : settings_.registries) {
      add(std::make_unique<collectors::SchemaRegistryCollector>(std::move(registry), *http_));
    }
    for (quality::ChecksSettings& checks : settings_.checks) {
      const auto source = std::ranges::find(settings_.sources, checks.source, &sql::SourceSettings::name);
      auto session = sql::make_source(*source);
      if (!session) return std::unexpected(session.error());
      add(std::make_unique<quality::CheckCollector>(std::move(checks), std::move(*session), *storage_, &series_));
    }
    return {};
  }

  /// At 0, so that rules see the first step too, and that a restart does not look like the end of what is counted.
  void begin_counters() {
    self_.add(kStorageFailures.name, {}, 0);
    for (const rules::Group& group : rules_.groups()) self_.add(kRuleFailures.name, {{"rule_group", group.name}}, 0);
    for (const auto& [receiver, integration] : notify::endpoints(settings_.routing)) {
      for (const auto outcome : {notify::Outcome::delivered, notify::Outcome::retried, notify::Outcome::dead})
        self_.add(kNotifications.name, {{"receiver", receiver}, {"outcome", notify::to_string(outcome)}}, 0);
    }
  }

  void add(std::unique_ptr<core::Collector> collector) {
    harnesses_.push_back(std::make_unique<runtime::CollectorHarness>(std::move(collector), clock_));
  }

  core::Result<void> listen() {
    auto address = net::parse_listen_address(settings_.listen);
    if (!address) return std::unexpected(address.error());
    auto server = net::HttpServer::start(
        loop_,
        {.listen = *address,
         .allow_remote = settings_.allow_remote,
         .stream_path = std::string(api::kStreamPath),
         .limits = {}},
        [this](const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder) {
          api::serve(backend_, request, responder);
        },
        [this](std::shared_ptr<net::EventStream> stream) { hub_.add(std::move(stream)); });
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  void hand_over(const runtime::CollectorHarness& harness, runtime::CycleReport report) {
    if (report.cancelled) return;
    auto shared = std::make_shared<runtime::CycleReport>(std::move(report));
    submit([this, &harness, shared] {
      // Whether the collector works is known first: rules about it must not wait for its data.
      core::Batch status;
      harness.append_samples(status.samples, shared->now);
      take("status/" + shared->collector, status, shared->now);
      if (shared->seen) {
        faults_.note(shared->collector, shared->batch.faults);
        take(shared->collector, shared->batch, shared->now);
      } else {
        judge_.miss(shared->collector, shared->now);
      }
      metrics_.drop_older_than(shared->now, kShownFor);
    });
  }

  /// Runs on the judge's worker.
  void take(const std::string& source, const core::Batch& batch, core::Time now) {
    metrics_.update(source, batch, now);
    show(judge_.take(source, batch, now));
  }

  void take_self() {
    const core::Time now = clock_.now();
    self_.set(kSeries.name, {}, static_cast<double>(series_.stats().series));
    if (const auto waiting = storage_->pending_messages()) self_.set(kOutbox.name, {}, static_cast<double>(*waiting));
    const auto view = judge_.view();
    self_.set(kIncidents.name, {}, static_cast<double>(std::ranges::count_if(view->incidents, &core::Incident::open)));
    core::Batch batch;
    self_.append_samples(batch.samples, now);
    keeper_.append_samples(batch.samples, now);
    take("self", batch, now);
  }

  /// One save waits at the most while another still runs; more would save nothing.
  void save_series() {
    save_pool_.submit([this](const std::stop_token&) { keeper_.save(clock_.now()); });
  }

  void prune_storage() {
    if (auto done = storage_->prune(clock_.now(), settings_.storage.history); !done) {
      runtime::log_warn("old history could not be dropped", {{"error", done.error().describe()}});
    }
  }

  void show(const JudgeStep& step) {
    for (const GroupReport& group : step.groups) {
      self_.set(kRuleSeconds.name, {{"rule_group", group.group}}, group.seconds);
      self_.add(kRuleFailures.name, {{"rule_group", group.group}}, static_cast<double>(group.errors.size()));
      note_rule_errors(group);
    }
    log_step(step);
    const std::string storage_error = step.storage ? step.storage->describe() : std::string();
    if (step.storage) self_.add(kStorageFailures.name, {});
    if (storage_error != storage_error_) {
      storage_error.empty()
          ? runtime::log_info("storage works again", {})
          : runtime::log_error("changes could not be stored and are kept in memory", {{"error", storage_error}});
    }
    storage_error_ = storage_error;
    if (step.messages > 0) delivery_.wake();
    hub_.publish(step.incidents > 0 ? "incident" : step.transitions > 0 ? "alert" : "cycle");
  }

  void note_rule_errors(const GroupReport& group) {
    std::string errors;
    for (const core::Error& error : group.errors) errors += (errors.empty() ? "" : "; ") + error.describe();
    std::string& last = rule_errors_[group.group];
    if (errors != last && !errors.empty())
      runtime::log_warn("rules could not be evaluated", {{"group", group.group}, {"error", errors}});
    if (errors != last && errors.empty()) runtime::log_info("rules can be evaluated again", {{"group", group.group}});
    last = errors;
  }

  void note(const notify::Report& report) {
    self_.add(kNotifications.name, {{"receiver", report.receiver}, {"outcome", notify::to_string(report.outcome)}});
    log_delivery(report);
    // Each retry of a receiver that is down would be a line; what changes is whether it works.
    std::string& last = receiver_errors_[report.receiver];
    if (report.error != last && report.outcome != notify::Outcome::dead) {
      report.error.empty()
          ? runtime::log_info("receiver works again", {{"receiver", report.receiver}})
          : runtime::log_warn("notification not delivered", {{"receiver", report.receiver},
                                                             {"outcome", notify::to_string(report.outcome)},
                                                             {"error", report.error}});
    }
    last = report.error;
  }

  void submit(std::function<void()> work) {
    if (!judge_pool_.submit([work = std::move(work)](const std::stop_token&) { work(); })) {
      runtime::log_warn("a step was dropped: the judge cannot keep up", {});
    }
  }

  std::vector<std::string> collector_names() const {
    std::vector<std::string> names;
    for (const auto& harness : harnesses_) names.push_back(harness->status().name);
    return names;
  }

  std::vector<api::CollectorView> collector_views() const {
    std::vector<api::CollectorView> views;
    for (const auto& harness : harnesses_) {
      const runtime::CollectorStatus status = harness->status();
      views.push_back({status.name, status.ran, status.success, status.last_success, status.duration, status.error});
    }
    return views;
  }

  Settings settings_;
  runtime::Loop& loop_;
  runtime::SystemClock clock_;
  std::unique_ptr<storage::Store> storage_;
  runtime::SelfMetrics self_;
  series::Store series_;
  SeriesKeeper keeper_;
  rules::Evaluator rules_;
  Judge judge_;
  api::MetricsPage metrics_;
  std::unique_ptr<net::HttpClient> http_;
  std::vector<std::unique_ptr<runtime::CollectorHarness>> harnesses_;
  api::Backend backend_;
  api::EventHub hub_;
  FaultLog faults_;                                     // judge's worker only
  std::map<std::string, std::string> rule_errors_;      // judge's worker only
  std::string storage_error_;                           // judge's worker only
  std::map<std::string, std::string> receiver_errors_;  // delivery's worker only
  std::unique_ptr<net::HttpServer> server_;
  // The workers come last: they use all of the above, and end first.
  DeliveryWorker delivery_;
  runtime::WorkerPool judge_pool_;
  runtime::WorkerPool api_pool_;
  runtime::WorkerPool save_pool_;
  bool stopped_ = false;
  std::unique_ptr<runtime::WorkerPool> collector_pool_;
  std::unique_ptr<runtime::Scheduler> scheduler_;
  std::vector<std::unique_ptr<runtime::Loop::Timer>> timers_;
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() { stop(); }

core::Result<std::unique_ptr<App>> App::build(Settings settings, runtime::Loop& loop) {
  const runtime::SystemClock clock;
  auto storage = open_storage(settings.storage.path, clock.now());
  if (!storage) return std::unexpected(storage.error());
  auto impl = std::make_unique<Impl>(std::move(settings), loop, std::move(*storage));
  if (auto built = impl->build(); !built) return std::unexpected(built.error());
  return std::make_unique<App>(std::move(impl));
}

void App::start() { impl_->start(); }
void App::stop() { impl_->stop(); }
std::string App::page_url() const { return impl_->page_url(); }

}  // namespace weir::app

#include "app/app.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <utility>

#include "api/routes.h"
#include "app/alertmanager_link.h"
#include "app/collector_setup.h"
#include "app/delivery_worker.h"
#include "app/heartbeat_link.h"
#include "app/incident_desk.h"
#include "app/judge.h"
#include "app/lineage_service.h"
#include "app/own_errors.h"
#include "app/own_metrics.h"
#include "app/remote_files.h"
#include "app/series_keeper.h"
#include "app/silence_book.h"
#include "app/step_log.h"
#include "app/storage_follower.h"
#include "app/storage_switch.h"
#include "app/storage_watch.h"
#include "app/urgent_delivery.h"
#include "incidents/causes.h"
#include "net/http_server.h"
#include "quality/collector.h"
#include "runtime/clock.h"
#include "runtime/collector_harness.h"
#include "runtime/log.h"
#include "runtime/memory.h"
#include "runtime/scheduler.h"
#include "runtime/self_metrics.h"
#include "runtime/worker_pool.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using core::MetricInfo;
using namespace own;

constexpr std::size_t kLargeCycle = 5'000;  // samples
constexpr core::Duration kSelfInterval = 5s;
constexpr core::Duration kSaveInterval = 60s;    // of the series: what a restart may lose
constexpr std::size_t kReserve = 2000;           // series past the limit for what tells of a full store
constexpr core::Duration kReloadPatience = 30s;  // with the judge, which may be in the middle of a step
constexpr core::Duration kShownFor = 5min;       // samples on /metrics of a collector that no longer succeeds

/// One for each, so that a source that keeps its collectors waiting keeps no other from running.
std::size_t worker_count(std::size_t collectors) { return std::clamp<std::size_t>(collectors, 2, 64); }

core::Result<std::unique_ptr<net::HttpServer>> listen(const Settings& settings, runtime::Loop& loop) {
  const auto address = net::parse_listen_address(settings.listen);
  if (!address) return std::unexpected(address.error());
  return net::HttpServer::bind(loop, {.listen = *address,
                                      .allow_remote = settings.allow_remote,
                                      .external_host = net::url_host(settings.external_url),
                                      .stream_path = std::string(api::kStreamPath),
                                      .limits = {}});
}

}  // namespace

class App::Impl {
 public:
  Impl(Settings settings, runtime::Loop& loop, std::unique_ptr<net::HttpServer> server, core::FailPoints* fail_points)
      : settings_(std::move(settings)),
        loop_(loop),
        storage_(std::make_unique<StorageSwitch>(settings_.storage, clock_, fail_points)),
        self_(IncidentMetrics::with(kOwnMetrics)),
        incident_metrics_(self_),
        series_({.retention = settings_.series.retention,
                 .max_series = settings_.series.max_series,
                 .reserve = kReserve,
                 .reserved = {"self", "status/", "rules/"}}),
        keeper_(series_, settings_.storage.path, &own_errors_),
        rules_(std::move(settings_.rule_groups),
               {.external_url = settings_.external_url,
                .stopwatch = [this] { return std::chrono::nanoseconds(clock_.steady().time_since_epoch()); }}),
        lineage_(std::move(settings_.lineage), clock_),
        silences_(*storage_, clock_),
        judge_({.series = series_,
                .rules = rules_,
                .storage = *storage_,
                .routing = settings_.routing,
                .annotations = [this](const core::Labels& labels) { return lineage_.annotations(labels); },
                .silences = [this] { return silences_.compiled(); },
                .upstream = [this] { return lineage_.upstream(); },
                .reopen_within = [this] { return settings_.incidents.reopen_within; },
                .own_errors = [this] { return lineage_.with_errors(own_errors_.faults()); },
                .fail_points = fail_points}),
        desk_({.storage = *storage_,
               .series = series_,
               .silences = silences_,
               .clock = clock_,
               .judge = judge_,
               .submit = [this](auto work) { return judge_pool_.submit([work](const std::stop_token&) { work(); }); },
               .show = [this](const JudgeStep& step) { show(step); },
               .page_url = settings_.external_url}),
        http_(net::make_curl_client()),
        remote_files_(*http_),
        backend_(make_backend()),
        server_(std::move(server)),
        delivery_({.storage = *storage_,
                   .clock = clock_,
                   .report = [this](const notify::Report& report) { note(report); },
                   .fail_points = fail_points},
                  settings_.routing),
        urgent_(settings_.routing, clock_, [this](const notify::Report& report) { note_urgent(report); }),
        alertmanagers_(clock_, [this](const AlertmanagerReport& report) { note(report); }),
        heartbeats_(clock_, [this](const HeartbeatReport& report) { note(report); }),
        judge_pool_("judge", 1, 1000),
        api_pool_("api", 2, 64),
        save_pool_("save", 1, 1),
        brief_pool_("api-brief", 1, 64) {}

  core::Result<void> build() {
    if (auto opened = storage_->open(); !opened) return opened;
    if (auto held = keeper_.hold(); !held) return held;
    storage_watch_.begin();
    keeper_.load(clock_.now());
    routing_text_ = std::make_shared<const std::string>(notify::routing_yaml(settings_.routing));
    const auto restored = storage_follower_.begin(clock_.now());
    if (!restored) return std::unexpected(restored.error());
    if (*restored) log_step(**restored);
    if (auto made = add_collectors(); !made) return made;
    judge_.expect(collector_names());
    lineage_.expect(collector_names());
    collector_pool_ = std::make_unique<runtime::WorkerPool>("collect", worker_count(harnesses_.size()), 1000);
    scheduler_ = std::make_unique<runtime::Scheduler>(loop_, *collector_pool_);
    metrics_.describe(runtime::CollectorHarness::metrics());
    metrics_.describe(self_.metrics());
    metrics_.describe(SeriesKeeper::metrics());
    metrics_.describe(LineageService::metrics());
    for (const auto& harness : harnesses_) metrics_.describe(harness->collector().metrics());
    note_reload(clock_.now());
    self_.set(kBuildInfo.name, {{"version", WEIR_VERSION}}, 1);
    begin_counters();
    alertmanagers_.configure(settings_.alertmanagers, settings_.external_url);
    heartbeats_.configure(settings_.heartbeats, settings_.external_url);
    serve();
    return {};
  }

  void start() {
    for (const auto& harness : harnesses_) {
      harness->start(*scheduler_,
                     [this, &harness](runtime::CycleReport report) { hand_over(*harness, std::move(report)); });
    }
    timers_.push_back(loop_.every(1s, 1s, [this] {
      storage_->wake();
      submit([this] {
        if (const auto restored = storage_follower_.follow(clock_.now())) show(*restored);
        show(judge_.tick(clock_.now()));
        tell_alertmanagers();
        if (!storage_watch_.failing() && !judge_.stands_by()) heartbeats_.beat();
      });
    }));
    timers_.push_back(loop_.every(kSelfInterval, 0s, [this] { submit([this] { take_self(); }); }));
    timers_.push_back(loop_.every(1min, 1min, [this] { submit([this] { series_.prune(clock_.now()); }); }));
    timers_.push_back(loop_.every(1min, 15s, [] { runtime::return_program_pages(); }));
    timers_.push_back(loop_.every(kSaveInterval, kSaveInterval, [this] { save_series(); }));
    timers_.push_back(loop_.every(1h, 1min, [this] {
      submit([this] { prune_storage(); });
      storage_->look();
    }));
    timers_.push_back(loop_.every(500ms, 0s, [this] {
      if (storage_->status().state == StorageStatus::State::open) delivery_.wake();
      urgent_.wake();
    }));
    timers_.push_back(loop_.every(1s, 1s, [this] { lineage_.wake(); }));
    timers_.push_back(loop_.every(15s, 15s, [this] { hub_.keep_alive(); }));
  }

  void stop() {
    timers_.clear();
    scheduler_.reset();
    server_.reset();
    if (collector_pool_) collector_pool_->stop();
    judge_pool_.stop();
    api_pool_.stop();
    brief_pool_.stop();
    delivery_.stop();
    urgent_.stop();
    lineage_.stop();
    alertmanagers_.stop();
    heartbeats_.stop();
    save_pool_.stop();
    storage_->stop();
    if (!std::exchange(stopped_, true)) keeper_.save(clock_.now());
  }

  void reload() {
    const bool taken = api_pool_.submit([this](const std::stop_token&) { (void)reload_now(); });
    if (!taken) runtime::log_warn("the configuration is not read anew: too many requests wait", {});
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
                },
            .brief =
                [this](std::function<void()> task) {
                  return brief_pool_.submit([task = std::move(task)](const std::stop_token&) { task(); });
                },
            .label_names = [this] { return series_.label_names(); },
            .label_values = [this](std::string_view name) { return series_.label_values(name); },
            .rule_groups = [this] { return judge_.view()->rule_groups; },
            .reload = [this] { return reload_now(); },
            .reload_status =
                [this] {
                  return api::ReloadStatus{reload_successful_, reloaded_at_};
                },
            .storage_trouble = [this]() -> std::optional<api::StorageTrouble> {
              const StorageStatus status = storage_->status();
              if (status.why.empty()) return std::nullopt;
              return api::StorageTrouble{
                  .state = std::string(status.name()), .why = status.why, .holder = status.holder};
            },
            .retention = settings_.series.retention,
            .lineage = lineage_.access(),
            .notifications = make_notifications(),
            .incident_access = desk_.access(lineage_.access())};
  }

  api::Notifications make_notifications() {
    return {.view = [this] { return judge_.view()->notifications; },
            .silences = [this] { return silences_.all(); },
            .set_silence = [this](core::Silence posted) { return silences_.set(std::move(posted)); },
            .expire_silence = [this](const std::string& id) { return silences_.expire(id); },
            .told = [this](std::vector<core::Labels> alerts,
                           std::string text) { return note_told(std::move(alerts), std::move(text)); },
            .parse_matchers = [](const std::string& text) { return matchers_of(text); },
            .config = [this] { return *routing_text_.load(); },
            .external_url = settings_.external_url};
  }

  static core::Result<std::vector<core::Matcher>> matchers_of(const std::string& text) {
    const auto parsed = notify::parse_matchers(text);
    if (!parsed) return std::unexpected(parsed.error());
    std::vector<core::Matcher> specs;
    for (const notify::LabelMatcher& matcher : *parsed) specs.push_back(matcher.spec());
    return specs;
  }

  /// On a worker of the API. Everything is read and checked before anything is replaced.
  core::Result<std::string> reload_now() {
    const std::lock_guard one_at_a_time(reloading_);
    auto settings = load_settings(settings_.file);
    const std::string fixed = settings ? fixed_changes(settings_, *settings) : "";
    auto done =
        settings ? apply(std::move(*settings)) : core::fail(core::ErrorKind::invalid, mistakes(settings.error()));
    reload_successful_ = done.has_value();
    self_.set(kReloaded.name, {}, done ? 1 : 0);
    if (done) {
      note_reload(clock_.now());
      runtime::log_info("the configuration was read anew", {{"file", settings_.file}});
    } else {
      runtime::log_error("the configuration stays as it was", {{"error", done.error().describe()}});
      return std::unexpected(done.error());
    }
    if (fixed.empty()) return std::string();
    runtime::log_warn("changes that need a restart were not applied", {{"keys", fixed}});
    return "changes that need a restart were not applied: " + fixed;
  }

  static std::string mistakes(const config::Diagnostics& diagnostics) {
    std::string text = diagnostics.to_string();
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  core::Result<void> apply(Settings fresh) {
    delivery_.configure(fresh.routing);
    urgent_.configure(fresh.routing);
    auto applied = std::make_shared<std::promise<void>>();
    std::future<void> done = applied->get_future();
    const std::string log_level = fresh.log_level;
    auto shared = std::make_shared<Settings>(std::move(fresh));
    const bool taken = judge_pool_.submit([this, shared, applied](const std::stop_token&) {
      settings_.routing = std::move(shared->routing);
      settings_.incidents = shared->incidents;
      routing_text_ = std::make_shared<const std::string>(notify::routing_yaml(settings_.routing));
      alertmanagers_.configure(std::move(shared->alertmanagers), settings_.external_url);
      heartbeats_.configure(std::move(shared->heartbeats), settings_.external_url);
      show(judge_.reload(std::move(shared->rule_groups), clock_.now()));
      applied->set_value();
    });
    if (!taken)
      return core::fail(core::ErrorKind::unavailable, "the rules cannot be replaced now: the judge is behind");
    if (done.wait_for(kReloadPatience) != std::future_status::ready)
      return core::fail(core::ErrorKind::timeout, "the judge is behind: the new rules come into force when it is not");
    try {
      done.get();
    } catch (const std::future_error&) {
      return core::fail(core::ErrorKind::cancelled, "Weir is stopping");
    }
    runtime::set_log_level(log_level);
    return {};
  }

  void note_reload(core::Time now) {
    reloaded_at_ = now;
    self_.set(kReloaded.name, {}, 1);
    self_.set(kReloadedAt.name, {}, core::to_seconds(now));
  }

  core::Result<void> add_collectors() {
    auto made = make_collectors(
        settings_, {.http = *http_, .remote_files = remote_files_, .series = series_, .storage = *storage_});
    if (!made) return std::unexpected(made.error());
    for (auto& collector : *made) add(std::move(collector));
    if (auto receiver = lineage_.make_collector(storage_.get())) add(std::move(receiver));
    return {};
  }

  /// At 0, so that rules see the first step too, and that a restart does not look like the end of what is counted.
  void begin_counters() {
    incident_metrics_.begin();
    for (const rules::Group& group : rules_.groups()) self_.add(kRuleFailures.name, {{"rule_group", group.name}}, 0);
    for (const notify::AlertmanagerSettings& each : settings_.alertmanagers) {
      for (const MetricInfo& metric : {kAlertsSent, kSendFailures})
        self_.add(metric.name, {{"alertmanager", each.name}}, 0);
    }
    for (const notify::HeartbeatSettings& each : settings_.heartbeats) {
      for (const char* outcome : {"delivered", "failed"})
        self_.add(kHeartbeats.name, {{"heartbeat", each.name}, {"outcome", outcome}}, 0);
    }
    for (const auto& [receiver, integration] : notify::endpoints(settings_.routing)) {
      self_.add(kTemplateFailures.name, {{"receiver", receiver}}, 0);
      for (const auto outcome : {notify::Outcome::delivered, notify::Outcome::retried, notify::Outcome::dead})
        self_.add(kNotifications.name, {{"receiver", receiver}, {"outcome", notify::to_string(outcome)}}, 0);
    }
  }

  void add(std::unique_ptr<core::Collector> collector) {
    harnesses_.push_back(std::make_unique<runtime::CollectorHarness>(std::move(collector), clock_));
  }

  void serve() {
    server_->serve(
        [this](const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder) {
          api::serve(backend_, request, responder);
        },
        [this](std::shared_ptr<net::EventStream> stream) { hub_.add(std::move(stream)); });
  }

  void hand_over(const runtime::CollectorHarness& harness, runtime::CycleReport report) {
    if (report.cancelled) return;
    auto shared = std::make_shared<runtime::CycleReport>(std::move(report));
    submit([this, &harness, shared] {
      judge_.note_error(shared->collector, shared->error);
      // Whether the collector works is known first: rules about it must not wait for its data.
      const auto status = std::make_shared<core::Batch>();
      harness.append_samples(status->samples, shared->now);
      take("status/" + shared->collector, status, shared->now);
      if (shared->seen) {
        faults_.note(shared->collector, shared->batch.faults);
        lineage_.take(shared->collector, shared->batch, shared->now);
        take(shared->collector, {shared, &shared->batch}, shared->now);
      } else {
        judge_.miss(shared->collector, shared->now);
        lineage_.miss(shared->collector);
      }
      metrics_.drop_older_than(shared->now, kShownFor);
      if (shared->batch.samples.size() >= kLargeCycle) runtime::return_unused_pages();
    });
  }

  /// Runs on the judge's worker.
  void take(const std::string& source, const std::shared_ptr<const core::Batch>& batch, core::Time now) {
    metrics_.update(source, batch, now);
    show(judge_.take(source, *batch, now));
  }

  void take_self() {
    const core::Time now = clock_.now();
    self_.set(kSeries.name, {}, static_cast<double>(series_.stats().series));
    if (const auto waiting = storage_->pending_messages()) self_.set(kOutbox.name, {}, static_cast<double>(*waiting));
    const auto view = judge_.view();
    incident_metrics_.show(*view);
    const auto batch = std::make_shared<core::Batch>();
    self_.append_samples(batch->samples, now);
    keeper_.append_samples(batch->samples, now);
    lineage_.refresh(series_, view->alerts, now, *batch);
    lineage_.tell_catalogs(*view, now);
    take("self", batch, now);
  }

  /// One save waits at the most while another still runs; more would save nothing.
  void save_series() {
    save_pool_.submit([this](const std::stop_token&) { keeper_.save(clock_.now()); });
  }

  void prune_storage() {
    if (!judge_.loaded()) return;
    if (auto done = storage_->prune(clock_.now(), settings_.storage.history); !done) {
      runtime::log_warn("old history could not be dropped", {{"error", done.error().describe()}});
    }
    silences_.prune();
  }

  void show(const JudgeStep& step) {
    for (const GroupReport& group : step.groups) {
      self_.set(kRuleSeconds.name, {{"rule_group", group.group}}, group.seconds);
      self_.add(kRuleFailures.name, {{"rule_group", group.group}}, static_cast<double>(group.errors.size()));
      note_rule_errors(group);
    }
    log_step(step);
    incident_metrics_.note(step.measures);
    storage_follower_.note(step);
    if (auto untold = storage_watch_.note(step); !untold.empty())
      submit([this, untold = std::move(untold)] { show(judge_.give_back(untold)); });
    if (step.messages > 0) delivery_.wake();
    if (step.incidents > 0) lineage_.tell(step, *judge_.view(), clock_.now());
    if (step.transitions > 0) tell_alertmanagers();
    hub_.publish(step.incidents > 0 ? "incident" : step.transitions > 0 ? "alert" : "cycle");
  }

  void note_urgent(const notify::Report& report) {
    self_.add(kNotifications.name, {{"receiver", report.receiver}, {"outcome", notify::to_string(report.outcome)}});
    own_errors_.note(report);
    urgent_deliveries_.note(report);
  }

  void tell_alertmanagers() {
    if (alertmanagers_.configured() && !judge_.stands_by()) alertmanagers_.offer(judge_.generated());
  }

  void note_rule_errors(const GroupReport& group) {
    std::string errors;
    for (const core::Error& error : group.errors) errors += (errors.empty() ? "" : "; ") + error.describe();
    own_errors_.note(incidents::kOwnRules + group.group, errors);
    std::string& last = rule_errors_[group.group];
    if (errors != last && !errors.empty())
      runtime::log_warn("rules could not be evaluated", {{"group", group.group}, {"error", errors}});
    if (errors != last && errors.empty()) runtime::log_info("rules can be evaluated again", {{"group", group.group}});
    last = errors;
  }

  void note(const notify::Report& report) {
    self_.add(kNotifications.name, {{"receiver", report.receiver}, {"outcome", notify::to_string(report.outcome)}});
    if (!report.template_problems.empty()) self_.add(kTemplateFailures.name, {{"receiver", report.receiver}});
    own_errors_.note(report);
    deliveries_.note(report);
    note_in_timelines(report);
  }

  /// What is told again and again is one entry of a timeline; what is retried is not told yet.
  void note_in_timelines(const notify::Report& report) {
    if (report.outcome == notify::Outcome::retried) return;
    const Told told{.receiver = report.receiver,
                    .status = report.status,
                    .attempts = report.attempts,
                    .error = report.outcome == notify::Outcome::dead ? report.error : std::string()};
    // A judge that is behind leaves it out.
    (void)judge_pool_.submit([this, alerts = report.alerts, told](const std::stop_token&) {
      show(judge_.note_delivery(alerts, told, clock_.now()));
    });
  }

  void note(const AlertmanagerReport& report) {
    self_.add(kAlertsSent.name, {{"alertmanager", report.alertmanager}}, static_cast<double>(report.sent));
    self_.add(kSendFailures.name, {{"alertmanager", report.alertmanager}}, static_cast<double>(report.failed));
    if (!report.changed) return;
    report.error.empty() ? runtime::log_info("alertmanager works again", {{"alertmanager", report.alertmanager}})
                         : runtime::log_warn("alertmanager was not told everything",
                                             {{"alertmanager", report.alertmanager}, {"error", report.error}});
  }

  void note(const HeartbeatReport& report) {
    self_.add(kHeartbeats.name,
              {{"heartbeat", report.heartbeat}, {"outcome", report.error.empty() ? "delivered" : "failed"}});
    own_errors_.note(incidents::kOwnHeartbeat + report.heartbeat, report.error);
    if (!report.changed) return;
    report.error.empty()
        ? runtime::log_info("heartbeat is heard again", {{"heartbeat", report.heartbeat}})
        : runtime::log_warn("heartbeat was not heard", {{"heartbeat", report.heartbeat}, {"error", report.error}});
  }

  core::Result<void> note_told(std::vector<core::Labels> alerts, std::string text) {
    const bool taken =
        judge_pool_.submit([this, alerts = std::move(alerts), text = std::move(text)](const std::stop_token&) {
          show(judge_.note_told(alerts, text, clock_.now()));
        });
    if (!taken) return core::fail(core::ErrorKind::unavailable, "the judge is behind");
    return {};
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

  Settings settings_;  // its routing is the judge's worker's alone
  runtime::Loop& loop_;
  runtime::SystemClock clock_;
  std::unique_ptr<StorageSwitch> storage_;
  runtime::SelfMetrics self_;
  IncidentMetrics incident_metrics_;
  series::Store series_;
  OwnErrors own_errors_;
  SeriesKeeper keeper_;
  rules::Evaluator rules_;
  LineageService lineage_;
  SilenceBook silences_;
  Judge judge_;
  IncidentDesk desk_;
  api::MetricsPage metrics_;
  std::unique_ptr<net::HttpClient> http_;
  RemoteFiles remote_files_;
  std::vector<std::unique_ptr<runtime::CollectorHarness>> harnesses_;
  api::Backend backend_;
  api::EventHub hub_;
  FaultLog faults_;                                               // judge's worker only
  std::map<std::string, std::string> rule_errors_;                // judge's worker only
  DeliveryLog deliveries_;                                        // by one of delivery's workers at a time
  DeliveryLog urgent_deliveries_;                                 // urgent's worker only
  std::atomic<std::shared_ptr<const std::string>> routing_text_;  // of the routes in force
  std::mutex reloading_;
  std::atomic<bool> reload_successful_ = true;
  std::atomic<core::Time> reloaded_at_ = core::Time{};
  std::unique_ptr<net::HttpServer> server_;
  // The workers come last: they use all of the above, and end first.
  DeliveryWorker delivery_;
  UrgentDelivery urgent_;
  StorageWatch storage_watch_{self_, urgent_, own_errors_};                           // judge's worker only
  StorageFollower storage_follower_{{*storage_, judge_, silences_, storage_watch_}};  // the same
  AlertmanagerLink alertmanagers_;  // configured and offered to by the judge's worker
  HeartbeatLink heartbeats_;        // the same
  runtime::WorkerPool judge_pool_;
  runtime::WorkerPool api_pool_;
  runtime::WorkerPool save_pool_;
  bool stopped_ = false;
  runtime::WorkerPool brief_pool_;
  std::unique_ptr<runtime::WorkerPool> collector_pool_;
  std::unique_ptr<runtime::Scheduler> scheduler_;
  std::vector<std::unique_ptr<runtime::Loop::Timer>> timers_;
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() { stop(); }

core::Result<std::unique_ptr<App>> App::build(Settings settings, runtime::Loop& loop, core::FailPoints* fail_points) {
  // First, so that a port that is taken leaves no files behind.
  auto server = listen(settings, loop);
  if (!server) return std::unexpected(server.error());
  auto impl = std::make_unique<Impl>(std::move(settings), loop, std::move(*server), fail_points);
  if (auto built = impl->build(); !built) return std::unexpected(built.error());
  return std::make_unique<App>(std::move(impl));
}

void App::start() { impl_->start(); }
void App::stop() { impl_->stop(); }
void App::reload() { impl_->reload(); }
std::string App::page_url() const { return impl_->page_url(); }

}  // namespace weir::app

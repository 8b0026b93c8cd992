#include "app/storage_switch.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "app/storage_watch.h"
#include "runtime/log.h"
#include "storage/export.h"

namespace weir::app {

using storage::Trouble;
using storage::trouble_of;
using namespace std::chrono_literals;

namespace {

constexpr core::Duration kStandbyWait = 2s;  // for the other Weir's lock at a time: no longer than an end may take
constexpr int kSequenceBits = 44;
constexpr auto kLeastRest = 1s;
constexpr auto kMostRest = 30s;
// A disk that damages one file after the other is not to be filled with copies.
constexpr auto kFirstPause = 1min;
constexpr auto kLongestPause = std::chrono::hours(6);

std::string holder_in(const core::Error& error) {
  return core::Error{.message = storage::holder_of(error), .where = error.where}.describe();
}

}  // namespace

/// An open storage; the last call that uses it closes it.
struct StorageSwitch::Held {
  Held(std::unique_ptr<storage::Store> opened, std::int64_t which) : store(std::move(opened)), number(which) {}
  ~Held() {
    store.reset();
    *closed = true;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  std::unique_ptr<storage::Store> store;
  const std::int64_t number;
  std::shared_ptr<std::atomic<bool>> closed = std::make_shared<std::atomic<bool>>(false);
};

std::string_view StorageStatus::name() const {
  switch (state) {
    case State::open: return why.empty() ? "open" : "failing";
    case State::away: return "away";
    case State::standby: return "standby";
    case State::mending: return "mending";
  }
  return "open";
}

StorageSwitch::StorageSwitch(storage::StorageSettings settings, const runtime::Clock& clock,
                             core::FailPoints* fail_points)
    : settings_(std::move(settings)),
      clock_(clock),
      fail_points_(fail_points),
      between_set_asides_(kFirstPause),
      pool_("storage", 1, 1) {}

StorageSwitch::~StorageSwitch() { stop(); }

void StorageSwitch::stop() { pool_.stop(); }

core::Result<void> StorageSwitch::open() {
  const auto began = Steady::now();
  auto opened = try_open({});
  if (opened) {
    take(std::move(*opened));
    return {};
  }
  const core::Error& error = opened.error();
  // Of a file that never was there nothing can be lost: that is a mistake in the configuration.
  std::error_code ignored;
  const bool expected = settings_.postgres || std::filesystem::exists(settings_.path, ignored);
  const bool held = settings_.postgres && trouble_of(error) == Trouble::held;
  if (!held && !(error.retryable && expected)) return std::unexpected(error);
  refused(error, Steady::now() - began);
  return {};
}

core::Result<storage::Opened> StorageSwitch::try_open(const std::string& damage) {
  return open_storage(settings_, clock_.now(), fail_points_, damage);
}

void StorageSwitch::take(storage::Opened opened) {
  const std::lock_guard lock(mutex_);
  auto fresh = std::make_shared<Held>(std::move(opened.store), openings_++);
  if (opened.set_aside) {
    ++status_.set_aside;
    status_.aside = describe(*opened.set_aside);
    set_aside_at_ = Steady::now();
  }
  // After mending it is the storage of which this process knows everything.
  ++(status_.state == State::mending ? status_.mended : status_.taking);
  if (status_.state != State::open && !status_.why.empty())
    runtime::log_info("storage is open", {{"before", status_.why}});
  status_.state = State::open;
  status_.why.clear();
  status_.holder.clear();
  damage_.clear();
  closed_ = fresh->closed;
  held_ = std::move(fresh);
}

/// How long to rest is told by how long the try took: a server that does not answer is not asked all the time.
void StorageSwitch::refused(const core::Error& error, Steady::duration took) {
  std::string why = error.describe();
  const std::lock_guard lock(mutex_);
  const bool held = settings_.postgres && trouble_of(error) == Trouble::held;
  // One that stood by does so until it has storage: the other Weir may be there, whatever is seen from here.
  if (status_.state != State::mending || held) {
    const State next = held || status_.state == State::standby ? State::standby : State::away;
    if (next == State::standby && status_.state != State::standby) {
      runtime::log_warn("another Weir has the storage; this one stands by", {{"error", why}});
    } else if (why != status_.why) {
      runtime::log_error("storage cannot be opened; what happens is kept in memory until it can", {{"error", why}});
    }
    status_.state = next;
  }
  status_.why = std::move(why);
  if (held) status_.holder = holder_in(error);
  const bool answers_late = settings_.postgres && !held;
  const Steady::duration rest =
      answers_late ? std::clamp<Steady::duration>(took * 4, kLeastRest, kMostRest) : kLeastRest;
  rest_until_ = Steady::now() + rest;
  if (settings_.postgres) settings_.postgres->lock_wait = status_.state == State::standby ? kStandbyWait : 0s;
}

void StorageSwitch::look_for_file() {
  if (settings_.postgres || settings_.path == ":memory:") return;
  const std::shared_ptr<Held> now = held();
  std::error_code unknown;
  if (!now || std::filesystem::exists(settings_.path, unknown) || unknown) return;
  note({.kind = core::ErrorKind::storage,
        .message = fmt::format("{}: {} is not there any more", storage::kGoneMark, settings_.path),
        .retryable = true,
        .where = {}},
       now);
}

void StorageSwitch::wake() {
  look_for_file();
  const std::lock_guard lock(mutex_);
  const auto now = Steady::now();
  if (busy_ || held_ || now < rest_until_ || (closed_ && !*closed_)) return;
  if (!damage_.empty() && set_aside_at_) {
    if (now - *set_aside_at_ < between_set_asides_) return;
    between_set_asides_ = std::min<Steady::duration>(between_set_asides_ * 4, kLongestPause);
  }
  busy_ = pool_.submit([this](const std::stop_token&) { run(); });
}

void StorageSwitch::run() {
  std::string damage;
  {
    const std::lock_guard lock(mutex_);
    damage = damage_;
  }
  const auto began = Steady::now();
  auto opened = try_open(damage);
  if (opened) {
    take(std::move(*opened));
  } else {
    refused(opened.error(), Steady::now() - began);
  }
  const std::lock_guard lock(mutex_);
  // It is out of the way now, or what is in its place is to be looked at like any other.
  std::error_code ignored;
  if (!opened && !std::filesystem::exists(settings_.path, ignored)) damage_.clear();
  busy_ = false;
}

void StorageSwitch::look() {
  if (settings_.postgres || settings_.path == ":memory:") return;
  pool_.submit([this](const std::stop_token&) {
    const std::shared_ptr<Held> now = held();
    if (!now) return;
    if (const auto sound = storage::quick_check(settings_); !sound) note(sound.error(), now);
  });
}

StorageStatus StorageSwitch::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void StorageSwitch::take_up(std::uint64_t taking) {
  const std::lock_guard lock(mutex_);
  taken_up_ = taking;
}

std::shared_ptr<StorageSwitch::Held> StorageSwitch::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

core::Error StorageSwitch::absent() const {
  const std::lock_guard lock(mutex_);
  return {.kind = core::ErrorKind::storage,
          .message = status_.why.empty() ? "storage is not open" : status_.why,
          .retryable = true,
          .where = {}};
}

void StorageSwitch::note(const core::Error& error, const std::shared_ptr<Held>& of) {
  const Trouble trouble = trouble_of(error);
  if (trouble != Trouble::damaged && trouble != Trouble::gone && trouble != Trouble::held) return;
  const std::lock_guard lock(mutex_);
  if (held_ != of) return;  // another call has said so
  held_.reset();
  status_.why = error.describe();
  status_.holder = trouble == Trouble::held ? holder_in(error) : std::string();
  status_.state = trouble == Trouble::held ? State::standby : State::mending;
  rest_until_ = {};
  switch (trouble) {
    case Trouble::damaged:
      damage_ = error.message;
      runtime::log_error("the database is damaged: it is set aside, and saved while Weir goes on in memory",
                         {{"error", status_.why}});
      break;
    case Trouble::gone:
      runtime::log_error("storage has lost its tables: they are made anew, from what is in memory",
                         {{"error", status_.why}});
      break;
    default: runtime::log_warn("another Weir has taken the storage; this one stands by", {{"error", status_.why}});
  }
}

template <class Call>
auto StorageSwitch::pass(Call&& call, const std::shared_ptr<Held>& to) {
  using Answer = decltype(call(*to->store));
  if (!to) return Answer(std::unexpected(absent()));
  Answer answer = call(*to->store);
  if (!answer) note(answer.error(), to);
  return answer;
}

template <class Call>
auto StorageSwitch::pass(Call&& call) {
  return pass(std::forward<Call>(call), held());
}

/// A number tells which opening it is from: one that was made anew may give numbers again that were given before.
std::int64_t StorageSwitch::shown(std::int64_t sequence, const Held& of) {
  return sequence + (of.number << kSequenceBits);
}

template <class Call>
core::Result<void> StorageSwitch::outcome(std::int64_t sequence, Call&& call) {
  const std::shared_ptr<Held> to = held();
  if (to && sequence >> kSequenceBits != to->number)
    return core::fail(core::ErrorKind::not_found, "the message was read before storage was opened anew");
  const std::int64_t own = sequence & ((std::int64_t{1} << kSequenceBits) - 1);
  return pass([&](Store& store) { return call(store, own); }, to);
}

core::Result<void> StorageSwitch::commit(const storage::Commit& changes) {
  {
    const std::lock_guard lock(mutex_);
    if (held_ && taken_up_ != status_.taking) {
      return std::unexpected(core::Error{.kind = core::ErrorKind::storage,
                                         .message = "what storage has is about to be read",
                                         .retryable = true,
                                         .where = {}});
    }
  }
  auto done = pass([&](Store& store) { return store.commit(changes); });
  const std::lock_guard lock(mutex_);
  if (status_.state == State::open) status_.why = done ? std::string() : done.error().describe();
  return done;
}

core::Result<std::vector<core::Alert>> StorageSwitch::active_alerts() {
  return pass([](Store& store) { return store.active_alerts(); });
}

core::Result<std::vector<core::Incident>> StorageSwitch::incidents(const storage::IncidentQuery& query) {
  return pass([&](Store& store) { return store.incidents(query); });
}

core::Result<std::vector<core::Transition>> StorageSwitch::transitions(const storage::TransitionQuery& query) {
  return pass([&](Store& store) { return store.transitions(query); });
}

core::Result<std::vector<core::GroupRecord>> StorageSwitch::notification_groups() {
  return pass([](Store& store) { return store.notification_groups(); });
}

core::Result<void> StorageSwitch::put_silences(const std::vector<core::Silence>& silences) {
  return pass([&](Store& store) { return store.put_silences(silences); });
}

core::Result<std::vector<core::Silence>> StorageSwitch::silences() {
  return pass([](Store& store) { return store.silences(); });
}

core::Result<std::vector<core::OutboxMessage>> StorageSwitch::due(core::Time now, std::size_t limit,
                                                                  const storage::Lane& lane) {
  const std::shared_ptr<Held> from = held();
  auto found = pass([&](Store& store) { return store.due(now, limit, lane); }, from);
  if (!found) return found;
  for (core::OutboxMessage& message : *found) message.sequence = shown(message.sequence, *from);
  return found;
}

core::Result<void> StorageSwitch::delivered(std::int64_t sequence, core::Time now,
                                            const std::optional<std::string>& reference) {
  return outcome(sequence, [&](Store& store, std::int64_t own) { return store.delivered(own, now, reference); });
}

core::Result<void> StorageSwitch::retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                              const std::string& error) {
  return outcome(sequence,
                 [&](Store& store, std::int64_t own) { return store.retry_later(own, next_attempt_at, error); });
}

core::Result<void> StorageSwitch::give_up(std::int64_t sequence, core::Time now, const std::string& error) {
  return outcome(sequence, [&](Store& store, std::int64_t own) { return store.give_up(own, now, error); });
}

core::Result<std::size_t> StorageSwitch::pending_messages() {
  return pass([](Store& store) { return store.pending_messages(); });
}

core::Result<std::vector<core::ToldMessage>> StorageSwitch::messages_of(const std::string& incident,
                                                                        std::size_t limit) {
  return pass([&](Store& store) { return store.messages_of(incident, limit); });
}

core::Result<void> StorageSwitch::give_feedback(const std::string& check, core::Time time, core::Feedback feedback) {
  return pass([&](Store& store) { return store.give_feedback(check, time, feedback); });
}

core::Result<void> StorageSwitch::prune(core::Time now, core::Duration history) {
  return pass([&](Store& store) { return store.prune(now, history); });
}

core::Result<void> StorageSwitch::append(const std::vector<core::Measurement>& measurements) {
  return pass([&](Store& store) { return store.append(measurements); });
}

core::Result<std::vector<core::Measurement>> StorageSwitch::newest(const std::string& check, std::size_t limit) {
  return pass([&](Store& store) { return store.newest(check, limit); });
}

core::Result<void> StorageSwitch::put_text(const std::string& key, const std::string& text) {
  return pass([&](Store& store) { return store.put_text(key, text); });
}

core::Result<std::optional<std::string>> StorageSwitch::text(const std::string& key) {
  return pass([&](Store& store) { return store.text(key); });
}

}  // namespace weir::app

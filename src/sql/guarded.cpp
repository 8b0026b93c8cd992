#include "sql/guarded.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <utility>

#include "core/retry_note.h"
#include "sql/statement.h"

namespace weir::sql {
namespace {

using core::ErrorKind;

class GuardedSource final : public SqlSource {
 public:
  GuardedSource(std::shared_ptr<SourceGate> gate, std::function<std::unique_ptr<SqlSource>()> open)
      : gate_(std::move(gate)), open_(std::move(open)), source_(open_()) {
    gate_->add_session();
  }
  ~GuardedSource() override { gate_->remove_session(); }
  GuardedSource(const GuardedSource&) = delete;
  GuardedSource& operator=(const GuardedSource&) = delete;

  std::string_view name() const override { return source_->name(); }
  const Dialect& dialect() const override { return source_->dialect(); }

  core::Result<void> connect(const QueryLimits& limits) override {
    if (auto entered = gate_->enter(limits); !entered) return entered;
    auto connected = source_->connect(limits);
    leave(connected ? nullptr : &connected.error(), true);
    return connected;
  }

  core::Result<Table> query(const std::string& text, const std::vector<Value>& parameters,
                            const QueryLimits& limits) override {
    if (auto entered = gate_->enter(limits); !entered) return std::unexpected(entered.error());
    if (auto connected = source_->connect(limits); !connected) {
      leave(&connected.error(), true);
      return std::unexpected(connected.error());
    }
    auto table = source_->query(text, parameters, limits);
    leave(table ? nullptr : &table.error(), false);
    return table;
  }

 private:
  void leave(const core::Error* outcome, bool connecting) {
    // Before the place is given to another.
    if (gate_->crowded()) source_ = open_();
    gate_->leave(outcome, connecting);
  }

  const std::shared_ptr<SourceGate> gate_;
  const std::function<std::unique_ptr<SqlSource>()> open_;
  std::unique_ptr<SqlSource> source_;
};

/// Whether an error tells that the source is down, rather than that a statement is wrong.
bool tells_of_source(const core::Error& error, bool connecting) {
  if (error.kind == ErrorKind::unavailable) return true;
  return connecting && error.kind != ErrorKind::cancelled;
}

}  // namespace

SourceGate::SourceGate(std::string source, std::size_t most, const Breaker::Settings& settings, Clock clock)
    : source_(std::move(source)), most_(most), clock_(std::move(clock)), breaker_(settings) {}

core::Result<void> SourceGate::enter(const QueryLimits& limits) {
  std::unique_lock lock(mutex_);
  const auto left = time_left(limits, limits.timeout, source_);
  if (!left) return std::unexpected(left.error());
  const auto until = std::chrono::steady_clock::now() + *left;
  if (!left_.wait_until(lock, limits.stop, until, [this] { return inside_ < most_; })) {
    if (limits.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "shutting down", source_);
    return core::fail(ErrorKind::timeout,
                      fmt::format("all {} places of the source (max_connections) were taken all the time", most_),
                      source_);
  }
  const auto now = clock_();
  if (!breaker_.allow(now)) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(breaker_.wait(now));
    const std::string when =
        wait.count() == 0 ? "the next is on its way" : "the next in " + core::format_duration(wait);
    return core::fail(
        ErrorKind::unavailable,
        core::with_retry_note(breaker_.last_failure(), fmt::format("{} failed, {}", breaker_.failures(), when)),
        source_);
  }
  ++inside_;
  return {};
}

void SourceGate::leave(const core::Error* outcome, bool connecting) {
  {
    const std::scoped_lock lock(mutex_);
    --inside_;
    if (outcome == nullptr) {
      breaker_.succeeded();
    } else if (outcome->kind == ErrorKind::cancelled) {
      breaker_.abandoned();
    } else if (tells_of_source(*outcome, connecting)) {
      breaker_.failed(clock_(), outcome->message, spread());
    } else if (!connecting) {
      breaker_.succeeded();  // it answers, if only that the statement is wrong
    }
  }
  left_.notify_one();
}

void SourceGate::add_session() {
  const std::scoped_lock lock(mutex_);
  ++sessions_;
}

void SourceGate::remove_session() {
  const std::scoped_lock lock(mutex_);
  --sessions_;
}

bool SourceGate::crowded() const {
  const std::scoped_lock lock(mutex_);
  return sessions_ > most_;
}

/// The same for the same source and failure, so that a test may know it, and another for another source.
double SourceGate::spread() const {
  const std::size_t hash = std::hash<std::string>()(source_ + std::to_string(breaker_.failures()));
  return static_cast<double>(hash % 1000) / 999.0;
}

std::unique_ptr<SqlSource> make_guarded(std::shared_ptr<SourceGate> gate,
                                        std::function<std::unique_ptr<SqlSource>()> open) {
  return std::make_unique<GuardedSource>(std::move(gate), std::move(open));
}

}  // namespace weir::sql

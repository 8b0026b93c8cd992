#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/clock.h"
#include "runtime/worker_pool.h"
#include "storage/salvage.h"
#include "storage/store.h"
#include "storage/trouble.h"

namespace weir::app {

/// Storage as it is now.
struct StorageStatus {
  enum class State {
    open,
    away,     // it could not be opened yet; what happens is kept in memory
    standby,  // another Weir has it, and does what is to be done
    mending,  // it was open, and is opened anew: a damaged file, tables that are gone
  };
  State state = State::open;
  std::string why = {};         // it is not open, or the last commit did not pass; empty: all is well
  std::string holder = {};      // who has it instead, with the place; "" unless it stands by
  std::uint64_t taking = 0;     // counts how often it was opened with what this process does not know
  std::uint64_t mended = 0;     // how often it was opened anew and may lack what was in it
  std::uint64_t set_aside = 0;  // damaged files, so far
  std::string aside = {};       // what became of the last of them

  static constexpr std::array<std::string_view, 5> kNames{"open", "failing", "away", "standby", "mending"};
  /// One of kNames; "failing" while it is open and commits do not pass.
  std::string_view name() const;
};

/// Stands before the storage that is, was or will be there: a call goes to it, or fails (storage, retryable) while
/// there is none. What is away is looked for, what another Weir holds is waited for, and a file that turns out to be
/// damaged is set aside and saved while Weir goes on; all of that on a worker of its own. Any thread.
class StorageSwitch final : public storage::Store {
 public:
  StorageSwitch(storage::StorageSettings settings, const runtime::Clock& clock,
                core::FailPoints* fail_points = nullptr);
  ~StorageSwitch() override;

  /// The first try, by the caller's thread. Errors: what does not pass by itself, as a file of something else. What may
  /// pass is no error, nor a PostgreSQL that another Weir holds: see status().
  core::Result<void> open();
  /// Tries what is due, on the worker.
  void wake();
  /// Looks at the pages of a SQLite file, on the worker, with a connection of its own: what is damaged on the disk need
  /// not be what is in memory.
  void look();
  void stop();
  StorageStatus status() const;
  /// What it holds is about to be read; until then commits fail, so that nothing is written over what is not known.
  void take_up(std::uint64_t taking);

  core::Result<void> commit(const storage::Commit& changes) override;
  core::Result<std::vector<core::Alert>> active_alerts() override;
  core::Result<std::vector<core::Incident>> incidents(const storage::IncidentQuery& query) override;
  core::Result<std::vector<core::Transition>> transitions(const storage::TransitionQuery& query) override;
  core::Result<std::vector<core::GroupRecord>> notification_groups() override;
  core::Result<void> put_silences(const std::vector<core::Silence>& silences) override;
  core::Result<std::vector<core::Silence>> silences() override;
  using Store::delivered;
  using Store::due;
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit,
                                                     const storage::Lane& lane) override;
  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override;
  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override;
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override;
  core::Result<std::size_t> pending_messages() override;
  core::Result<std::vector<core::ToldMessage>> messages_of(const std::string& incident, std::size_t limit) override;
  core::Result<void> give_feedback(const std::string& check, core::Time time, core::Feedback feedback) override;
  core::Result<void> prune(core::Time now, core::Duration history) override;
  core::Result<void> append(const std::vector<core::Measurement>& measurements) override;
  core::Result<std::vector<core::Measurement>> newest(const std::string& check, std::size_t limit) override;
  core::Result<void> put_text(const std::string& key, const std::string& text) override;
  core::Result<std::optional<std::string>> text(const std::string& key) override;

 private:
  using State = StorageStatus::State;
  using Steady = std::chrono::steady_clock;
  struct Held;

  template <class Call>
  auto pass(Call&& call, const std::shared_ptr<Held>& to);
  template <class Call>
  auto pass(Call&& call);
  std::shared_ptr<Held> held() const;
  core::Error absent() const;
  void note(const core::Error& error, const std::shared_ptr<Held>& of);
  void look_for_file();
  core::Result<storage::Opened> try_open(const std::string& damage);
  void take(storage::Opened opened);
  void refused(const core::Error& error, Steady::duration took);
  void run();

  static std::int64_t shown(std::int64_t sequence, const Held& of);
  template <class Call>
  core::Result<void> outcome(std::int64_t sequence, Call&& call);

  storage::StorageSettings settings_;
  const runtime::Clock& clock_;
  core::FailPoints* fail_points_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<Held> held_;
  std::int64_t openings_ = 0;
  StorageStatus status_{.state = State::away};
  std::string damage_;                              // what was said of the file, until it was set aside
  std::shared_ptr<std::atomic<bool>> closed_;       // what was open last is
  std::uint64_t taken_up_ = 0;                      // the taking that may be written to
  Steady::time_point rest_until_{};                 // between tries
  std::optional<Steady::time_point> set_aside_at_;  // last, while this runs
  Steady::duration between_set_asides_;
  bool busy_ = false;
  runtime::WorkerPool pool_;  // the last: it uses all of the above, and ends first
};

}  // namespace weir::app

// kill -9 at random moments: what was committed is there, whole; what was not is not there at all.
#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <sys/wait.h>

#include "storage/store.h"

#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;

std::string id_of(int number) { return "step" + std::to_string(number); }

/// Writes one step: each kind of row, all naming the step.
Commit step(int number) {
  const std::string id = id_of(number);
  const core::Alert firing = alert(id);
  Commit changes{.alerts = {firing},
                 .transitions = {fired(firing, at(number))},
                 .incidents = {incident(id, at(number), {firing})},
                 .outbox = {message(id, id, at(number)), message(id + "/2", id, at(number), "second")}};
  if (number > 0) changes.removed = {alert(id_of(number - 1))};
  return changes;
}

/// Commits from `first` on until it is killed, telling the pipe of each success.
[[noreturn]] void commit_for_ever(const std::string& path, int first, int pipe) {
  auto store = open_sqlite(path);
  if (!store) ::_exit(3);
  for (int number = first;; ++number) {
    if (!(*store)->commit(step(number))) ::_exit(4);
    if (::write(pipe, &number, sizeof number) != sizeof number) ::_exit(5);
  }
}

/// Runs a child until it has committed `least` steps and `extra` has passed, then kills it; the last step told of.
int run_and_kill(const std::string& path, int first, int least, std::chrono::microseconds extra) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_for_ever(path, first, ends[1]);
  }
  ::close(ends[1]);
  int told = first - 1;
  while (told < first + least - 1 && ::read(ends[0], &told, sizeof told) == sizeof told) {
  }
  const timespec pause{.tv_sec = 0, .tv_nsec = extra.count() * 1000};
  ::nanosleep(&pause, nullptr);  // the random moment of the kill is the point
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  while (::read(ends[0], &told, sizeof told) == sizeof told) {
  }
  ::close(ends[0]);
  return told;
}

/// Every step from 0 to the newest is there whole; returns the newest's number.
int expect_whole(const std::string& path) {
  auto opened = open_sqlite(path);
  EXPECT_TRUE(opened) << opened.error().describe();
  if (!opened) return -1;
  Store& store = **opened;
  const auto incidents = store.incidents({.limit = 100'000});
  const auto transitions = store.transitions({.limit = 100'000});
  const auto alerts = store.active_alerts();
  EXPECT_TRUE(incidents && transitions && alerts);
  const int newest = static_cast<int>(incidents->size()) - 1;
  EXPECT_EQ(transitions->size(), incidents->size());
  EXPECT_EQ(*store.pending_messages(), incidents->size() * 2);
  EXPECT_EQ(alerts->size(), incidents->empty() ? 0U : 1U);
  for (int number = newest; number >= 0; --number) {
    const auto index = static_cast<std::size_t>(newest - number);
    const core::Incident& incident = incidents->at(index);
    EXPECT_EQ(incident.id, id_of(number));
    EXPECT_EQ(incident.alerts.size(), 1U);
    EXPECT_EQ(incident.timeline.size(), 1U);
    EXPECT_EQ(transitions->at(index).alert.labels.get("consumergroup"), id_of(number));
  }
  if (!alerts->empty()) {
    EXPECT_EQ(alerts->front().labels.get("consumergroup"), id_of(newest));
  }
  return newest;
}

TEST(Crash, AfterKillNineExactlyTheCommittedStepsAreThere) {
  const TempFolder folder;
  std::mt19937 random(20240229);  // NOLINT: the same kills in every run
  int next = 0;
  for (int round = 0; round < 30; ++round) {
    const int least = static_cast<int>(random() % 4);
    const std::chrono::microseconds extra(random() % 6000);
    const int told = run_and_kill(folder.file(), next, least, extra);
    const int newest = expect_whole(folder.file());
    // The child may die between its commit and telling of it.
    ASSERT_GE(newest, told) << "round " << round << ": a committed step is lost";
    ASSERT_LE(newest, told + 1) << "round " << round;
    next = newest + 1;
  }
  EXPECT_GE(next, 30) << "the children hardly wrote anything";
}

}  // namespace
}  // namespace weir::storage

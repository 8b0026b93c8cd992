#include "core/fail_points.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <string>

namespace weir::core {
namespace {

constexpr std::array kPoints{
    FailPointInfo{FailPoint::restore_before, "restore.before", false, "a start, before what the last run left is read"},
    FailPointInfo{FailPoint::restore_after, "restore.after", false, "it was taken up; nothing is collected yet"},
    FailPointInfo{FailPoint::evaluate_before, "evaluate.before", false, "rules are about to be evaluated"},
    FailPointInfo{FailPoint::evaluate_after, "evaluate.after", false, "alerts have changed, in memory only"},
    FailPointInfo{FailPoint::resolve, "resolve", false, "the same, where an alert has resolved"},
    FailPointInfo{FailPoint::commit_before, "commit.before", true, "before the transaction"},
    FailPointInfo{FailPoint::commit_alerts, "commit.alerts", true, "inside, active alerts were written"},
    FailPointInfo{FailPoint::commit_removed, "commit.removed", true, "inside, ended alerts were removed"},
    FailPointInfo{FailPoint::commit_transitions, "commit.transitions", true, "inside, the history was appended to"},
    FailPointInfo{FailPoint::commit_incidents, "commit.incidents", true, "inside, incidents were written"},
    FailPointInfo{FailPoint::commit_groups, "commit.groups", true, "inside, what receivers were told was written"},
    FailPointInfo{FailPoint::commit_outbox, "commit.outbox", true, "inside, messages were written"},
    FailPointInfo{FailPoint::commit_after, "commit.after", false, "committed, and nobody knows yet"},
    FailPointInfo{FailPoint::publish_after, "publish.after", false, "the page shows it, delivery is not woken"},
    FailPointInfo{FailPoint::outbox_before, "outbox.before", true, "before the outbox is read for an integration"},
    FailPointInfo{FailPoint::request_before, "request.before", true, "a message is about to be sent"},
    FailPointInfo{FailPoint::request_sent, "request.sent", false, "it was sent, its answer has not come"},
    FailPointInfo{FailPoint::request_answered, "request.answered", true, "the receiver has answered"},
    FailPointInfo{FailPoint::delivered_before, "delivered.before", true, "before it is noted as delivered"},
    FailPointInfo{FailPoint::delivered_after, "delivered.after", false, "it is noted as delivered"},
};

const FailPointInfo* find(std::string_view name) {
  const auto* found = std::ranges::find(kPoints, name, &FailPointInfo::name);
  return found == kPoints.end() ? nullptr : found;
}

std::string known_names() {
  std::string names;
  for (const FailPointInfo& info : kPoints) names += (names.empty() ? "" : ", ") + std::string(info.name);
  return names;
}

std::unexpected<Error> wrong(std::string_view entry, const std::string& why) {
  return fail(ErrorKind::invalid, "\"" + std::string(entry) + "\": " + why, "WEIR_FAILPOINTS");
}

}  // namespace

std::span<const FailPointInfo> fail_points() { return kPoints; }

Result<std::unique_ptr<FailPoints>> FailPoints::parse(std::string_view text) {
  static_assert(kPoints.size() == kCount);
  auto points = std::make_unique<FailPoints>();
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (auto armed = points->arm(text.substr(0, comma)); !armed) return std::unexpected(armed.error());
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return points;
}

Result<void> FailPoints::arm(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == entry.npos) return wrong(entry, "write it as place=kill, place=kill@3 or place=error");
  const FailPointInfo* info = find(entry.substr(0, equals));
  if (info == nullptr) return wrong(entry, "no such place; there are " + known_names());
  std::string_view action = entry.substr(equals + 1);
  Armed armed;
  if (const std::size_t at = action.find('@'); at != action.npos) {
    const std::string_view number = action.substr(at + 1);
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), armed.at);
    if (failed != std::errc() || end != number.data() + number.size() || armed.at == 0)
      return wrong(entry, "after \"@\" comes the number of the passing, from 1");
    action = action.substr(0, at);
  }
  if (action == "kill") armed.action = Action::kill;
  if (action == "error") armed.action = Action::error;
  if (armed.action == Action::none) return wrong(entry, "the action is kill or error");
  if (armed.action == Action::error && !info->may_fail)
    return wrong(entry, "nothing can fail there; only kill will do");
  armed_[static_cast<std::size_t>(info->point)] = armed;
  return {};
}

Result<void> FailPoints::reach(FailPoint point) {
  const auto index = static_cast<std::size_t>(point);
  const Armed& armed = armed_[index];
  if (armed.action == Action::none || ++passed_[index] != armed.at) return {};
  if (armed.action == Action::kill) (void)std::raise(SIGKILL);
  Error error{.kind = ErrorKind::storage,
              .message = "failed on purpose at " + std::string(kPoints[index].name),
              .retryable = true,
              .where = "WEIR_FAILPOINTS"};
  return std::unexpected(std::move(error));
}

}  // namespace weir::core

#include "incidents/postmortem.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "core/utf8.h"

namespace weir::incidents {
namespace {

constexpr std::size_t kMostSpark = 60;
constexpr std::size_t kMostText = 2000;  // bytes of one cell
constexpr std::size_t kMostRows = 700;   // of a table
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Marks that turn the direction of what follows, or that are not seen.
bool invisible(std::string_view character) {
  static constexpr std::array<std::string_view, 14> kMarks{"\u200B", "\u200E", "\u200F", "\u202A", "\u202B",
                                                           "\u202C", "\u202D", "\u202E", "\u2028", "\u2029",
                                                           "\u2066", "\u2067", "\u2068", "\u2069"};
  return std::ranges::find(kMarks, character) != kMarks.end();
}

/// One line of valid UTF-8; `mark` is told each ASCII character and may write something else for it.
template <class Mark>
std::string one_line(std::string_view text, Mark mark) {
  std::string out;
  const std::string_view shown = core::utf8_prefix(text, kMostText);
  for (std::string_view rest = shown; !rest.empty();) {
    const std::size_t length = core::utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    if (length == 0) {
      out += kReplacement;
    } else if (length > 1) {
      if (!invisible(rest.substr(0, length)) && rest.substr(0, length) != "\u0085") out += rest.substr(0, length);
    } else if (first < 0x20 || first == 0x7f) {
      if (out.empty() || out.back() != ' ') out += ' ';
    } else {
      mark(out, rest.front());
    }
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (shown.size() < text.size()) out += "…";
  return out;
}

std::string moment(core::Time time) { return core::format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)); }

std::string lasting(const std::optional<core::Duration>& duration) {
  return duration ? core::format_duration(std::chrono::floor<std::chrono::seconds>(*duration)) : std::string();
}

std::string node_text(const core::Node& node) {
  return node.kind + " " + node.name + (node.place.empty() ? "" : " in " + node.place);
}

class Report {
 public:
  explicit Report(const PostmortemInput& input) : input_(input), incident_(input.incident) {}

  std::string write() {
    line("# Post-mortem: {}", markdown_text(incident_.title));
    facts();
    times();
    impact();
    cause();
    timeline();
    alerts();
    told();
    charts();
    for (const char* title : {"What went well", "What went wrong", "Where we were lucky"}) line("\n## {}\n\n- ", title);
    line("\n## Action items\n\n| action | owner | due |\n|---|---|---|\n|  |  |  |");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void heading(std::string_view title) { line("\n## {}\n", title); }

  void facts() {
    const core::Handling& handling = incident_.handling;
    line("\n| | |\n|---|---|");
    const auto row = [&](std::string_view name, std::string_view value) {
      line("| {} | {} |", name, value.empty() ? "–" : markdown_text(value));
    };
    row("Incident", incident_.id);
    row("Severity", incident_.severity);
    row("State", incident_.open() ? "open" : handling.merged_into.empty() ? "resolved" : "merged");
    row("Owner", handling.owner);
    row("Acknowledged by", handling.acknowledged_by);
    if (!handling.merged_into.empty()) row("Merged into", handling.merged_into);
    row("About", incident_.labels.to_string());
    if (!input_.page_url.empty()) line("| Page | <{}> |", input_.page_url);
    row("Written", moment(input_.now));
  }

  void times() {
    heading("Times");
    const core::IncidentTimes times = core::times_of(incident_);
    line("| | at | after |\n|---|---|---|");
    const auto row = [&](std::string_view what, const std::optional<core::Time>& at, const std::string& after) {
      line("| {} | {} | {} |", what, at ? moment(*at) : "–", after.empty() ? "–" : after);
    };
    row("Began", incident_.began_at, "");
    row("Detected", incident_.opened_at, lasting(times.to_detect));
    reopenings(row);
    row("Acknowledged", incident_.handling.acknowledged_at, lasting(times.to_acknowledge));
    row("Resolved", incident_.resolved_at, lasting(times.to_resolve));
    line("\nThe time to detect counts from the beginning, the others from the detection.");
  }

  /// The latest times that it was over and was not; the last end has a row of its own.
  template <class Row>
  void reopenings(Row row) {
    constexpr std::size_t kMost = 20;
    std::vector<const core::TimelineEntry*> turns;
    for (const core::TimelineEntry& entry : incident_.timeline) {
      if (entry.kind == "resolved" || entry.kind == "reopened") turns.push_back(&entry);
    }
    if (!turns.empty() && turns.back()->kind == "resolved") turns.pop_back();
    for (std::size_t i = turns.size() - std::min(turns.size(), kMost); i < turns.size(); ++i) {
      const core::Time at = turns[i]->at;
      row(turns[i]->kind == "resolved" ? "Resolved before" : "Reopened", at, lasting(at - incident_.opened_at));
    }
  }

  void impact() {
    heading("Impact");
    const auto& affected = incident_.reasons.affected.empty() ? input_.affected : incident_.reasons.affected;
    if (affected.empty()) line("Nothing downstream is known.");
    for (const core::Node& node : affected) line("- {}", markdown_text(node_text(node)));
  }

  void cause() {
    heading("Likely cause");
    const core::Reasons& reasons = incident_.reasons;
    line("> {}", incident_.cause.empty() ? "Not known." : markdown_text(incident_.cause));
    if (!reasons.hypothesis.empty())
      line("\nHypothesis: {}, score {:.2f}.", markdown_text(reasons.hypothesis), reasons.score);
    if (reasons.origin) line("\nMost upstream: {}.", markdown_text(node_text(*reasons.origin)));
    if (!reasons.evidence.empty()) line("\nEvidence:\n");
    for (const std::string& each : reasons.evidence) line("- {}", markdown_text(each));
    causes();
  }

  /// Of an incident whose cause became another one while it went on.
  void causes() {
    if (std::ranges::count(incident_.timeline, "cause", &core::TimelineEntry::kind) == 0) return;
    line("\nCauses, one after the other:\n");
    for (const core::TimelineEntry& entry : incident_.timeline) {
      if (entry.kind == "cause") line("- {}: {}", moment(entry.at), markdown_text(entry.text));
    }
  }

  void timeline() {
    heading("Timeline");
    line("| at | kind | what |\n|---|---|---|");
    const std::size_t shown = std::min(incident_.timeline.size(), kMostRows);
    for (std::size_t i = 0; i < shown; ++i) {
      const core::TimelineEntry& entry = incident_.timeline[i];
      line("| {} | {} | {} |", moment(entry.at), markdown_text(entry.kind), markdown_text(entry.text));
    }
    if (shown < incident_.timeline.size()) line("\n{} more are not shown.", incident_.timeline.size() - shown);
  }

  void alerts() {
    heading("Alerts");
    line("| alert | state | since | value | labels | summary |\n|---|---|---|---|---|---|");
    constexpr std::size_t kMostAlerts = 200;
    const std::size_t shown = std::min(incident_.alerts.size(), kMostAlerts);
    for (std::size_t i = 0; i < shown; ++i) {
      const core::Alert& alert = incident_.alerts[i];
      const bool ended = alert.resolved_at && alert.state != core::AlertState::firing;
      const std::string state = ended                                       ? "resolved " + moment(*alert.resolved_at)
                                : alert.state == core::AlertState::inactive ? "resolved"
                                                                            : std::string(core::to_string(alert.state));
      line("| {} | {} | {} | {:g} | {} | {} |", markdown_text(alert.rule), state, moment(alert.active_at), alert.value,
           markdown_text(alert.labels.without("alertname").to_string()),
           markdown_text(alert.annotations.get("summary")));
    }
    if (shown < incident_.alerts.size()) line("\n{} more are not shown.", incident_.alerts.size() - shown);
  }

  void told() {
    heading("Who was told");
    if (input_.told.empty()) return line("Weir's own receivers were sent no message about it.");
    line("| at | receiver | status | outcome |\n|---|---|---|---|");
    for (const core::ToldMessage& message : input_.told) {
      const std::string outcome =
          message.delivered_at
              ? fmt::format("delivered {} ({} attempts)", moment(*message.delivered_at), message.attempts)
          : message.given_up_at  ? "given up: " + message.last_error
          : message.attempts > 0 ? fmt::format("waits after {} attempts: {}", message.attempts, message.last_error)
                                 : "waits";
      line("| {} | {} | {} | {} |", moment(message.created_at),
           markdown_text(message.receiver + " (" + message.integration + ")"),
           markdown_text(message.status + (message.with_others ? ", with other incidents" : "")),
           markdown_text(outcome));
    }
  }

  void charts() {
    heading("Charts");
    if (input_.charts.empty())
      return line("The series that its alerts are about are not held any more, or have no points of that time.");
    const std::size_t shown = std::min(input_.charts.size(), kMostCharts);
    for (std::size_t i = 0; i < shown; ++i) chart(input_.charts[i]);
  }

  void chart(const core::SeriesView& series) {
    const std::vector<core::Point> points = thinned(series.points, kMostChartPoints);
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const core::Point& point : points) {
      if (!std::isfinite(point.value)) continue;
      least = std::min(least, point.value);
      most = std::max(most, point.value);
    }
    line("{}\n", markdown_text(series.labels.to_string()));
    // A fence of more backticks than any line may have; the name has none.
    if (least <= most)
      line("```text\n{}  {:g} to {:g}\n```\n", sparkline(thinned(series.points, kMostSpark)), least, most);
    const std::string name = one_line(series.labels.to_string(), [](std::string& out, char c) {
      if (c == '"') out += '"';
      out += c == '`' ? '\'' : c;
    });
    line("```csv\ntime,\"{}\"", name);
    for (const core::Point& point : points) line("{},{}", core::format_rfc3339(point.time), point.value);
    line("```\n");
  }

  const PostmortemInput& input_;
  const core::Incident& incident_;
  std::string out_;
};

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string out = one_line(text, [](std::string& to, char c) {
    switch (c) {
      // Where cells end is found before escapes are looked at, so that these may not stand there at all.
      case '|': to += "&#124;"; return;
      case '\\': to += "&#92;"; return;
      case '<': to += "&lt;"; return;
      case '>': to += "&gt;"; return;
      case '&': to += "&amp;"; return;
      default: break;
    }
    if (std::string_view("`*_{}[]#!~$").find(c) != std::string_view::npos) to += '\\';
    to += c;
  });
  while (out.starts_with(' ')) out.erase(0, 1);
  while (out.ends_with(' ')) out.pop_back();
  // At the beginning of a line these would make a list, a heading or a rule.
  if (!out.empty() && std::string_view("-+=").find(out.front()) != std::string_view::npos) out.insert(0, "\\");
  return out;
}

std::vector<core::Point> thinned(const std::vector<core::Point>& points, std::size_t most) {
  std::vector<core::Point> kept;
  for (const core::Point& point : points) {
    if (!core::is_stale_marker(point.value)) kept.push_back(point);
  }
  if (kept.size() <= most || most < 2) return kept;
  std::vector<core::Point> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(kept[i * (kept.size() - 1) / (most - 1)]);
  return chosen;
}

std::string sparkline(const std::vector<core::Point>& points) {
  static constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const core::Point& point : points) {
    if (!std::isfinite(point.value)) continue;
    least = std::min(least, point.value);
    most = std::max(most, point.value);
  }
  std::string out;
  for (const core::Point& point : points) {
    if (!std::isfinite(point.value)) {
      out += ' ';
      continue;
    }
    // Halves, so that the span of two large numbers of other signs is none too large.
    const double share = most > least ? (point.value / 2 - least / 2) / (most / 2 - least / 2) : 0;
    out += kBars.at(std::min<std::size_t>(static_cast<std::size_t>(std::max(share, 0.0) * 8), 7));
  }
  return out;
}

std::string postmortem(const PostmortemInput& input) { return Report(input).write(); }

}  // namespace weir::incidents

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "quality/check.h"
#include "quality/report_writers.h"

namespace weir::quality {
namespace {

constexpr std::array<std::string_view, 4> kColours = {"\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[31m"};
constexpr std::array<std::string_view, 4> kWords = {"pass", "WARN", "FAIL", "ERROR"};
constexpr std::size_t kWidest = 80;

/// Characters as a terminal counts them: bytes that begin one. Wide ones count as one.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// One line, without what a terminal would act on.
std::string tame(std::string_view text) {
  std::string line;
  for (const char c : text) line += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  return line;
}

std::string name_of(const CheckResult& result) {
  return tame(result.group.empty() ? result.check : result.check + " [" + result.group + "]");
}

std::string row(const CheckResult& result, std::size_t names, bool colour) {
  const auto outcome = static_cast<std::size_t>(result.outcome);
  const std::string word = fmt::format("{:<5}", kWords[outcome]);
  const std::string name = name_of(result);
  std::string line = "  " + (colour ? std::string(kColours[outcome]) + word + "\x1b[0m" : word) + "  " + name;
  if (result.value) line.append(names - std::min(names, width(name)) + 2, ' ').append(show_number(*result.value));
  line += '\n';
  if (result.outcome == Outcome::pass && !result.learning) return line;
  line += "         " + tame(result.message) + '\n';
  for (const std::string& each : result.sample) line += "           " + tame(each) + '\n';
  const std::string place = result.outcome == Outcome::pass ? "" : result.position.to_string();
  return place.empty() ? line : line + "         " + place + '\n';
}

}  // namespace

std::string Tally::to_string() const {
  std::string text;
  for (const auto& [count, word] : {std::pair{error, "could not be evaluated"}, std::pair{fail, "failed"},
                                    std::pair{warn, "warned"}, std::pair{pass, "passed"}}) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word);
  }
  return text.empty() ? "no checks" : text;
}

Tally tally(const RunReport& report) {
  Tally counts;
  const std::array<std::size_t*, 4> of = {&counts.pass, &counts.warn, &counts.fail, &counts.error};
  for (const CheckResult& result : report.results) ++*of[static_cast<std::size_t>(result.outcome)];
  return counts;
}

Outcome worst_outcome(const RunReport& report) {
  const auto worst = std::ranges::max_element(report.results, {}, &CheckResult::outcome);
  return worst == report.results.end() ? Outcome::pass : worst->outcome;
}

std::string write_table(const RunReport& report, bool colour) {
  std::string text;
  std::size_t names = 0;
  for (const CheckResult& result : report.results) names = std::max(names, std::min(width(name_of(result)), kWidest));
  const CheckResult* last = nullptr;
  for (const CheckResult& result : report.results) {
    if (last == nullptr || last->source != result.source || last->dataset != result.dataset) {
      text += fmt::format("{}{}{}{}\n", last == nullptr ? "" : "\n", tame(result.dataset),
                          result.source.empty() ? "" : " of ", tame(result.source));
    }
    text += row(result, names, colour);
    last = &result;
  }
  const std::size_t queries = report.statements.size();
  text += fmt::format("{}{} in {:.2f} s", text.empty() ? "" : "\n", tally(report).to_string(), report.seconds);
  if (queries > 0) text += fmt::format(", {} {}", queries, queries == 1 ? "query" : "queries");
  return text + "\n";
}

std::optional<std::string> write_report(std::string_view format, const RunReport& report, bool warnings_fail) {
  if (format == "table") return write_table(report);
  if (format == "json") return write_json(report);
  if (format == "junit") return write_junit(report, warnings_fail);
  if (format == "sarif") return write_sarif(report);
  return std::nullopt;
}

}  // namespace weir::quality

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "quality/check.h"
#include "quality/report_writers.h"

namespace weir::quality {
namespace {

/// The length of the UTF-8 character that begins here and that XML 1.0 allows, 0 for anything else.
std::size_t xml_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x20) return first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  unsigned code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  static constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool allowed = first >= 0xC0 && code >= kLeast[length] && code <= 0x10FFFF &&
                       !(code >= 0xD800 && code <= 0xDFFF) && code != 0xFFFE && code != 0xFFFF;
  return allowed ? length : 0;
}

std::string escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = xml_character(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // the replacement character
    } else if (character == "&") {
      out += "&amp;";
    } else if (character == "<") {
      out += "&lt;";
    } else if (character == ">") {
      out += "&gt;";
    } else if (character == "\"") {
      out += "&quot;";
    } else if (character == "\n" || character == "\t" || character == "\r") {
      out += fmt::format("&#{};", static_cast<int>(character[0]));
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

struct Suite {
  std::string name;
  std::string cases;
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  double seconds = 0;
};

void add_case(const CheckResult& result, bool warnings_fail, Suite& suite) {
  const std::string name = result.group.empty() ? result.check : result.check + " [" + result.group + "]";
  ++suite.tests;
  suite.cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape(suite.name), escape(name));
  if (!result.position.file.empty()) suite.cases += fmt::format(" file=\"{}\"", escape(result.position.file));
  if (result.position.line > 0) suite.cases += fmt::format(" line=\"{}\"", result.position.line);
  const bool warning = result.outcome == Outcome::warn;
  if (result.outcome == Outcome::pass) {
    suite.cases += "/>\n";
    return;
  }
  const std::string place = result.position.to_string();
  const std::string text = escape(result.message + (place.empty() ? "" : "\n" + place));
  if (warning && !warnings_fail) {
    suite.cases += fmt::format(">\n      <system-out>warning: {}</system-out>\n    </testcase>\n", text);
    return;
  }
  const bool error = result.outcome == Outcome::error;
  ++(error ? suite.errors : suite.failures);
  suite.cases += fmt::format(">\n      <{0} message=\"{1}\" type=\"{2}\">{3}</{0}>\n    </testcase>\n",
                             error ? "error" : "failure", escape(result.message), to_string(result.outcome), text);
}

}  // namespace

std::string write_junit(const RunReport& report, bool warnings_fail) {
  std::vector<Suite> suites;
  Suite all;
  for (const CheckResult& result : report.results) {
    const std::string name = result.source.empty() ? result.dataset : result.source + "." + result.dataset;
    auto suite = std::ranges::find(suites, name, &Suite::name);
    if (suite == suites.end()) {
      suites.push_back({name, {}});
      suite = suites.end() - 1;
      for (const StatementReport& statement : report.statements) {
        if (statement.source == result.source && statement.dataset == result.dataset)
          suite->seconds += statement.seconds;
      }
    }
    add_case(result, warnings_fail, *suite);
  }
  std::string text;
  for (const Suite& suite : suites) {
    all.tests += suite.tests;
    all.failures += suite.failures;
    all.errors += suite.errors;
    text += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3f}\" "
        "timestamp=\"{}\">\n"
        "{}  </testsuite>\n",
        escape(suite.name), suite.tests, suite.failures, suite.errors, suite.seconds,
        core::format_rfc3339(report.started), suite.cases);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"weir check\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\">\n{}</testsuites>\n",
      all.tests, all.failures, all.errors, report.seconds, text);
}

}  // namespace weir::quality

#include "incidents/postmortem.h"

#include <gmock/gmock.h>
#include <random>

#include "core/utf8.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using test::at;
using testing::HasSubstr;

core::Incident incident(const std::string& text) {
  core::Incident made;
  made.id = "00000000000000aa";
  made.title = text;
  made.severity = "critical";
  made.cause = text;
  made.labels = core::Labels{{"topic", text}};
  made.began_at = at(0);
  made.opened_at = at(60);
  made.resolved_at = at(360);
  made.handling = {.owner = text, .acknowledged_by = text, .acknowledged_at = at(90), .merged_into = ""};
  made.reasons = {.hypothesis = text,
                  .score = 0.75,
                  .evidence = {text},
                  .origin = core::Node{"topic", text, text},
                  .affected = {{"table", text, text}}};
  core::Alert alert;
  alert.rule = text;
  alert.labels = core::Labels{{"alertname", text}, {"topic", text}};
  alert.annotations = core::Labels{{"summary", text}};
  made.alerts = {alert};
  made.timeline = {{at(60), "opened", text}, {at(61), "commented", text}};
  return made;
}

std::string report(const core::Incident& of, const std::string& text) {
  PostmortemInput input{.incident = of, .now = at(400)};
  input.told = {{.created_at = at(61),
                 .receiver = text,
                 .integration = "webhook/0",
                 .status = "firing",
                 .attempts = 1,
                 .delivered_at = {},
                 .given_up_at = at(90),
                 .last_error = text}};
  core::SeriesView series{core::Labels{{"__name__", "lag"}, {"topic", text}}, {}};
  for (int i = 0; i < 500; ++i) series.points.push_back({at(i), i % 7 == 0 ? -1.0 : i});
  input.charts = {series};
  return postmortem(input);
}

TEST(Postmortem, TellsWhatIsKnownAndLeavesRoomForTheRest) {
  const std::string text = report(incident("orders fall behind"), "team");
  for (const char* part :
       {"# Post-mortem: orders fall behind", "| Severity | critical |", "| Owner | orders fall behind |",
        "| Detected | 2023-11-14T22:14:20.000Z | 1m |", "| Acknowledged | 2023-11-14T22:14:50.000Z | 30s |",
        "| Resolved | 2023-11-14T22:19:20.000Z | 5m |", "- table orders fall behind in orders fall behind",
        "Hypothesis: orders fall behind, score 0.75.", "## Timeline", "| commented | orders fall behind |",
        "given up: team", "```csv\ntime,\"", "## What went well", "## Action items"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Postmortem, ItsTimesHaveEarlierEndsAndReopenings) {
  core::Incident again = incident("orders fall behind");
  EXPECT_EQ(report(again, "team").find("Reopened"), std::string::npos);
  again.timeline.push_back({at(120), "resolved", "resolved after 1m"});
  again.timeline.push_back({at(180), "reopened", "fires again"});
  again.timeline.push_back({at(360), "resolved", "resolved after 5m"});
  EXPECT_NE(report(again, "team")
                .find("| Resolved before | 2023-11-14T22:15:20.000Z | 1m |\n"
                      "| Reopened | 2023-11-14T22:16:20.000Z | 2m |\n"
                      "| Acknowledged | 2023-11-14T22:14:50.000Z | 30s |\n"
                      "| Resolved | 2023-11-14T22:19:20.000Z | 5m |\n"),
            std::string::npos);
}

TEST(Postmortem, NamesTheCauseOfEachPhase) {
  core::Incident phases = incident("the loader is late");
  EXPECT_EQ(report(phases, "team").find("one after the other"), std::string::npos) << "there is but one";
  phases.timeline.push_back({at(60), "cause", "the broker left"});
  phases.timeline.push_back({at(90), "cause", "the loader is late"});
  EXPECT_NE(report(phases, "team")
                .find("- 2023-11-14T22:14:20.000Z: the broker left\n"
                      "- 2023-11-14T22:14:50.000Z: the loader is late\n"),
            std::string::npos);
}

/// Cells of a row, as GitHub finds them: every pipe that no backslash stands before.
std::size_t cells(std::string_view line) {
  std::size_t pipes = 0;
  for (std::size_t i = 0; i < line.size(); ++i) pipes += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
  return pipes;
}

/// The lines with what may differ left out: how each begins, and its cells.
std::vector<std::string> shape(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const bool fence = line.starts_with("```");
    const bool table = line.starts_with("|");
    const std::size_t mark = std::string_view("|#->`").find(line.empty() ? 'x' : line.front());
    lines.push_back(fence ? std::string(line) : std::to_string(table ? cells(line) : 0) + " " + std::to_string(mark));
    begin = end + 1;
  }
  return lines;
}

TEST(Postmortem, NoTextFromOutsideChangesItsShape) {
  const std::vector<std::string> plain = shape(report(incident("word"), "word"));
  const std::vector<std::string> hostile{"|",
                                         "a | b | c",
                                         "\\|",
                                         "\\\\| x |\n| y | z |",
                                         "x\n\n# Heading",
                                         "```\n| a |\n```",
                                         "a\r\n- item",
                                         "<script>alert(1)</script>",
                                         "[x](javascript:alert(1))",
                                         "![x](http://y)",
                                         "\xff\xfe|",
                                         "\u2028| x |\u2029",
                                         "\u0085| x |",
                                         std::string("\0|", 2),
                                         "- x",
                                         "> x",
                                         "=====",
                                         "\"quoted\", \"x\"",
                                         std::string(10'000, '|'),
                                         "`" + std::string(3000, '\n') + "`"};
  for (const std::string& text : hostile) {
    const std::string written = report(incident(text), text);
    EXPECT_TRUE(shape(written) == plain) << text;
    EXPECT_TRUE(core::is_utf8(written)) << text;
    const std::string before_data = written.substr(0, written.find("\n```"));
    EXPECT_EQ(before_data.find("<script"), std::string::npos) << text;
    EXPECT_EQ(before_data.find("[x]("), std::string::npos) << text;
  }
}

TEST(Postmortem, RandomTextsDoNotEither) {
  const std::vector<std::string> plain = shape(report(incident("word"), "word"));
  std::mt19937 random(7);
  const std::string alphabet = "|\\`\n\r\t *_[]()<>#-+=&;:\"'!~$a\xc3\xa4\xff\x7f\x01";
  for (int round = 0; round < 300; ++round) {
    std::string text = "x";  // what is empty differs: it is shown as such
    for (std::size_t i = random() % 40; i > 0; --i) text += alphabet[random() % alphabet.size()];
    ASSERT_TRUE(shape(report(incident(text), text)) == plain) << testing::PrintToString(text);
  }
}

TEST(Postmortem, ALongTimelineIsCutAndSaysSo) {
  core::Incident long_one = incident("x");
  for (int i = 0; i < 1000; ++i) long_one.timeline.push_back({at(i), "event", "e"});
  EXPECT_THAT(report(long_one, "x"), HasSubstr("\n302 more are not shown."));
}

TEST(Sparkline, SpansFromTheLeastToTheMost) {
  EXPECT_EQ(sparkline({{at(0), 0}, {at(1), 5}, {at(2), 10}}), "▁▅█");
  EXPECT_EQ(sparkline({{at(0), 3}, {at(1), 3}}), "▁▁");
  EXPECT_EQ(sparkline({{at(0), 1}, {at(1), std::numeric_limits<double>::quiet_NaN()}, {at(2), 2}}), "▁ █");
  EXPECT_EQ(sparkline({{at(0), -1.7e308}, {at(1), 1.7e308}}), "▁█");
  EXPECT_EQ(sparkline({}), "");
}

TEST(Thinned, KeepsTheFirstAndTheLast) {
  std::vector<core::Point> points;
  for (int i = 0; i < 1000; ++i) points.push_back({at(i), static_cast<double>(i)});
  points.push_back({at(1000), core::stale_marker()});
  const auto kept = thinned(points, 120);
  ASSERT_EQ(kept.size(), 120U);
  EXPECT_EQ(kept.front().value, 0);
  EXPECT_EQ(kept.back().value, 999);
}

}  // namespace
}  // namespace weir::incidents

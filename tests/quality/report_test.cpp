#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "quality/report_writers.h"

namespace weir::quality {
namespace {

using nlohmann::json;

CheckResult result(std::string check, Outcome outcome, std::optional<double> value, std::string message) {
  CheckResult made;
  made.source = "wh";
  made.dataset = "orders";
  made.check = std::move(check);
  made.outcome = outcome;
  made.value = value;
  made.message = std::move(message);
  made.position = {"checks/shop.yml", 4, 5};
  return made;
}

RunReport sample() {
  RunReport report;
  report.started = core::Time(std::chrono::milliseconds(1767323045000));
  report.seconds = 1.25;
  report.results = {result("row_count > 0", Outcome::pass, 120, "row_count is 120, as it should be"),
                    result("few nulls", Outcome::warn, 2.5, "few nulls: 2.5 is > 1"),
                    result("avg(x) > 1", Outcome::fail, 0.5, "avg(x) is 0.5, not > 1"),
                    result("min(y) > 1", Outcome::error, std::nullopt, "there is no column y")};
  report.results[2].attributes = {{"owner", "sales"}};
  report.results[2].column = "x";
  report.results[3].dataset = "items";
  report.results[3].group = "country=DE";
  report.statements = {{"wh", "orders", "SELECT 1", 0.5}, {"wh", "items", "SELECT 2", 0.25}};
  return report;
}

TEST(ReportTable, ShowsWhatIsNotRightWithItsPlace) {
  EXPECT_EQ(write_table(sample()),
            "orders of wh\n"
            "  pass   row_count > 0            120\n"
            "  WARN   few nulls                2.5\n"
            "         few nulls: 2.5 is > 1\n"
            "         checks/shop.yml:4:5\n"
            "  FAIL   avg(x) > 1               0.5\n"
            "         avg(x) is 0.5, not > 1\n"
            "         checks/shop.yml:4:5\n"
            "\n"
            "items of wh\n"
            "  ERROR  min(y) > 1 [country=DE]\n"
            "         there is no column y\n"
            "         checks/shop.yml:4:5\n"
            "\n"
            "1 could not be evaluated, 1 failed, 1 warned, 1 passed in 1.25 s, 2 queries\n");
  EXPECT_NE(write_table(sample(), true).find("\x1b[31mFAIL \x1b[0m"), std::string::npos);
}

TEST(ReportTable, LetsNoControlCharacterReachATerminal) {
  RunReport report;
  report.results = {result("a\x1b[2Jb", Outcome::fail, 1, "m\r\x1b]0;x\x07")};
  report.results[0].position.file = "f";
  for (const char c : {'\x1b', '\r', '\x07'}) EXPECT_EQ(write_table(report).find(c), std::string::npos);
}

TEST(ReportTable, NothingIsNoChecks) { EXPECT_EQ(write_table({}), "no checks in 0.00 s\n"); }

TEST(ReportJson, HasTheDocumentedShape) {
  const json root = json::parse(write_json(sample()));
  EXPECT_EQ(root["version"], 1);
  EXPECT_EQ(root["started"], "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(root["outcome"], "error");
  EXPECT_EQ(root["summary"], json::parse(R"({"pass":1,"warn":1,"fail":1,"error":1})"));
  EXPECT_EQ(root["results"][2], json::parse(R"({"source":"wh","dataset":"orders","check":"avg(x) > 1","column":"x",
    "group":"","outcome":"fail","value":0.5,"message":"avg(x) is 0.5, not > 1","attributes":{"owner":"sales"},
    "file":"checks/shop.yml","line":4,"column_number":5,"relative_error":null,"reused":false,"learning":false,"sample":[]})"));
  EXPECT_TRUE(root["results"][3]["value"].is_null());
  EXPECT_EQ(root["statements"][0]["sql"], "SELECT 1");
}

TEST(ReportJson, TakesAnyBytesAndNumbers) {
  RunReport report;
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    report.results.push_back(result(std::string("a\0\xff\"", 4), Outcome::fail, value, "\xc3("));
  }
  const json root = json::parse(write_json(report));
  EXPECT_TRUE(root["results"][0]["value"].is_null());
  EXPECT_TRUE(root["results"][1]["value"].is_null());
}

TEST(ReportJunit, IsASuiteEachDatasetAndACaseEachCheck) {
  EXPECT_EQ(
      write_junit(sample()),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"weir check\" tests=\"4\" failures=\"1\" errors=\"1\" time=\"1.250\">\n"
      "  <testsuite name=\"wh.orders\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0.500\" "
      "timestamp=\"2026-01-02T03:04:05.000Z\">\n"
      "    <testcase classname=\"wh.orders\" name=\"row_count &gt; 0\" file=\"checks/shop.yml\" line=\"4\"/>\n"
      "    <testcase classname=\"wh.orders\" name=\"few nulls\" file=\"checks/shop.yml\" line=\"4\">\n"
      "      <system-out>warning: few nulls: 2.5 is &gt; 1&#10;checks/shop.yml:4:5</system-out>\n"
      "    </testcase>\n"
      "    <testcase classname=\"wh.orders\" name=\"avg(x) &gt; 1\" file=\"checks/shop.yml\" line=\"4\">\n"
      "      <failure message=\"avg(x) is 0.5, not &gt; 1\" type=\"fail\">avg(x) is 0.5, not &gt; "
      "1&#10;checks/shop.yml:4:5</failure>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "  <testsuite name=\"wh.items\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0.250\" "
      "timestamp=\"2026-01-02T03:04:05.000Z\">\n"
      "    <testcase classname=\"wh.items\" name=\"min(y) &gt; 1 [country=DE]\" file=\"checks/shop.yml\" line=\"4\">\n"
      "      <error message=\"there is no column y\" type=\"error\">there is no column "
      "y&#10;checks/shop.yml:4:5</error>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
  EXPECT_NE(write_junit(sample(), true).find("failures=\"2\""), std::string::npos);
}

TEST(ReportJunit, ReplacesWhatXmlDoesNotAllow) {
  RunReport report;
  report.results = {result("a\x01<b>&\"\xff\xed\xa0\x80\xef\xbf\xbf\xc0\x80 ü€😀", Outcome::fail, 1, "x\ny")};
  const std::string text = write_junit(report);
  EXPECT_EQ(text.find('\x01'), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
  EXPECT_EQ(text.find("\xed\xa0"), std::string::npos);
  EXPECT_EQ(text.find("\xef\xbf\xbf"), std::string::npos);
  EXPECT_EQ(text.find("\xc0"), std::string::npos);
  EXPECT_NE(text.find("&lt;b&gt;&amp;&quot;"), std::string::npos);
  EXPECT_NE(text.find(" ü€😀\""), std::string::npos);
  EXPECT_NE(text.find("message=\"x&#10;y\""), std::string::npos);
}

TEST(ReportSarif, HasARuleEachCheckAndAResultEachThatDidNotPass) {
  const json root = json::parse(write_sarif(sample()));
  EXPECT_EQ(root["version"], "2.1.0");
  const json& run = root["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 4U);
  ASSERT_EQ(run["results"].size(), 3U);
  const json& failed = run["results"][1];
  EXPECT_EQ(failed["ruleId"], "orders/avg(x) > 1");
  EXPECT_EQ(run["tool"]["driver"]["rules"][failed["ruleIndex"].get<int>()]["id"], failed["ruleId"]);
  EXPECT_EQ(failed["level"], "error");
  EXPECT_EQ(failed["locations"][0]["physicalLocation"], json::parse(R"({"artifactLocation":{"uri":"checks/shop.yml"},
    "region":{"startLine":4,"startColumn":5}})"));
  EXPECT_EQ(run["results"][0]["level"], "warning");
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
}

TEST(ReportSarif, AResultKeepsItsFingerprintWhenItsLineMoves) {
  RunReport report = sample();
  const json before = json::parse(write_sarif(report))["runs"][0]["results"][1]["partialFingerprints"];
  report.results[2].position.line = 40;
  report.results[2].message = "now 0.4";
  EXPECT_EQ(json::parse(write_sarif(report))["runs"][0]["results"][1]["partialFingerprints"], before);
  report.results[2].group = "other";
  EXPECT_NE(json::parse(write_sarif(report))["runs"][0]["results"][1]["partialFingerprints"], before);
}

TEST(ReportSarif, FilesAreUris) {
  RunReport report;
  report.results = {result("c", Outcome::fail, 1, "m"), result("d", Outcome::fail, 1, "m"),
                    result("e", Outcome::fail, 1, "m")};
  report.results[0].position = {"my checks/ü#1.yml", 0, 0};
  report.results[1].position = {"/abs/c.yml", 2, 0};
  report.results[2].position = {};
  const json results = json::parse(write_sarif(report))["runs"][0]["results"];
  EXPECT_EQ(results[0]["locations"][0]["physicalLocation"],
            json::parse(R"({"artifactLocation":{"uri":"my%20checks/%C3%BC%231.yml"}})"));
  EXPECT_EQ(results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "file:///abs/c.yml");
  EXPECT_FALSE(results[2].contains("locations"));
}

TEST(Report, FormatsGoByName) {
  for (const std::string_view format : {"table", "json", "junit", "sarif"})
    EXPECT_TRUE(write_report(format, sample())) << format;
  EXPECT_FALSE(write_report("xml", sample()));
  EXPECT_EQ(worst_outcome(sample()), Outcome::error);
  EXPECT_EQ(worst_outcome({}), Outcome::pass);
}

TEST(TableReportTest, ShowsHowFarACheckHasLearned) {
  RunReport report;
  CheckResult result;
  result.dataset = "t";
  result.check = "anomaly detection for row_count";
  result.outcome = Outcome::pass;
  result.message = "row_count is 5: learning, 3 of 21 days";
  report.results = {result};
  EXPECT_EQ(write_table(report).find("3 of 21 days"), std::string::npos);
  report.results[0].learning = true;
  EXPECT_NE(write_table(report).find("3 of 21 days"), std::string::npos);
}

TEST(ReportTest, ShowsTheSampleOfAFailingCheck) {
  RunReport report;
  CheckResult result;
  result.check = "missing_count(a) = 0";
  result.outcome = Outcome::fail;
  result.sample = {"{id: 7}", "{id: \x1b[31m8}"};
  report.results = {result};
  EXPECT_NE(write_table(report).find("\n           {id: 7}\n           {id:  [31m8}\n"), std::string::npos)
      << write_table(report);
  EXPECT_NE(write_json(report).find("\"{id: 7}\""), std::string::npos);
}

}  // namespace
}  // namespace weir::quality

#include "app/batch_query.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "rules/sample_source.h"

namespace weir::app {
namespace {

using nlohmann::json;

class BatchQueryTest : public testing::Test {
 protected:
  BatchQueryTest() {
    for (int i = 0; i <= 5; ++i) {
      EXPECT_TRUE(source_.append(core::Labels::metric("m", {{"a", "b"}}), core::Time(std::chrono::minutes(i)), i));
    }
  }

  json ask(const std::string& request) { return json::parse(answer_query(request, source_)); }
  std::string error(const std::string& request) {
    const json answer = ask(request);
    EXPECT_EQ(answer.at("status"), "error") << request;
    return answer.at("errorType").get<std::string>() + ": " + answer.at("error").get<std::string>();
  }

  rules::SampleSource source_;
};

TEST_F(BatchQueryTest, AnInstantQueryIsAnsweredAsTheApiDoes) {
  EXPECT_EQ(ask(R"({"query": "m", "time": 120})"),
            json::parse(R"({"status":"success","data":{"resultType":"vector","result":[
              {"metric":{"__name__":"m","a":"b"},"value":[120,"2"]}]}})"));
  EXPECT_EQ(ask(R"({"query": "m", "time": "120"})"), ask(R"({"query": "m", "time": 120})"));
}

TEST_F(BatchQueryTest, ARangeQueryIsAnsweredAsTheApiDoes) {
  EXPECT_EQ(ask(R"({"query": "m * 2", "start": 60, "end": 180, "step": 60})"),
            json::parse(R"({"status":"success","data":{"resultType":"matrix","result":[
              {"metric":{"a":"b"},"values":[[60,"2"],[120,"4"],[180,"6"]]}]}})"));
}

TEST_F(BatchQueryTest, MistakesAreAnswersToo) {
  using testing::StartsWith;
  EXPECT_THAT(error("x"), StartsWith("bad_data: the line is not JSON"));
  EXPECT_THAT(error(""), StartsWith("bad_data"));
  EXPECT_THAT(error("[]"), StartsWith("bad_data"));
  EXPECT_THAT(error("{}"), StartsWith("bad_data: invalid parameter \"query\""));
  EXPECT_THAT(error(R"({"query": "m[", "time": 1})"), StartsWith("bad_data: invalid parameter \"query\": 1:3"));
  EXPECT_THAT(error(R"({"query": "m"})"), StartsWith("bad_data: invalid parameter \"time\": nothing"));
  EXPECT_THAT(error(R"({"query": "m", "time": 1e300})"), StartsWith("bad_data: invalid parameter \"time\""));
  EXPECT_THAT(error(R"({"query": "m", "time": "soon"})"), StartsWith("bad_data: invalid parameter \"time\""));
  EXPECT_THAT(error(R"({"query": "m", "start": 0, "end": 9})"), StartsWith("bad_data: invalid parameter \"step\""));
  EXPECT_THAT(error(R"({"query": "m", "start": 9, "end": 0, "step": 1})"),
              StartsWith("bad_data: invalid parameter \"end\""));
  EXPECT_THAT(error(R"({"query": "m", "start": 0, "end": 9, "step": 0})"),
              StartsWith("bad_data: invalid parameter \"step\""));
  EXPECT_THAT(error(R"({"query": "m", "start": 0, "end": 99999, "step": 1})"),
              StartsWith("bad_data: exceeded maximum"));
  EXPECT_THAT(error(R"({"query": "m[1m]", "start": 0, "end": 9, "step": 1})"),
              StartsWith("bad_data: invalid parameter \"query\": invalid expression type"));
  EXPECT_THAT(error("{\"query\": \"" + std::string(1U << 20U, 'x') + "\"}"),
              StartsWith("bad_data: the line is longer"));
}

TEST_F(BatchQueryTest, AQueryThatCannotBeExecutedSaysSo) {
  EXPECT_TRUE(source_.append(core::Labels::metric("m", {{"a", "c"}}), core::Time(std::chrono::minutes(1)), 1));
  EXPECT_THAT(error(R"({"query": "m + on() m", "time": 60})"), testing::StartsWith("execution: "));
}

TEST_F(BatchQueryTest, EachLineHasOneAnswerInItsPlace) {
  std::istringstream queries("{\"query\": \"1\", \"time\": 0}\nx\n\n" + std::string(2U << 20U, ' ') +
                             "\n{\"query\": \"2\", \"time\": 0}");
  std::ostringstream out;
  answer_queries(queries, source_, out);
  std::istringstream lines(out.str());
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) {
    const json answer = json::parse(line);
    found.push_back(answer.contains("data") ? answer["data"]["result"][1].get<std::string>() : "error");
  }
  EXPECT_THAT(found, testing::ElementsAre("1", "error", "error", "error", "2"));
}

}  // namespace
}  // namespace weir::app

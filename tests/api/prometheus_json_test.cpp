#include "api/prometheus_json.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/query_json.h"

namespace weir::api {
namespace {

core::Time at(std::int64_t ms) { return core::Time(core::Duration(ms)); }

template <class... Arguments>
std::string made(void (*append)(std::string&, Arguments...), std::type_identity_t<Arguments>... arguments) {
  std::string out;
  append(out, arguments...);
  return out;
}

// What Go's strconv.FormatFloat(v, 'f' or 'e', -1, 64) prints, as Prometheus 2.42 answered it.
TEST(PrometheusJsonTest, SampleValuesAreFormattedAsGoDoes) {
  const std::vector<std::pair<double, std::string>> cases{{0, "0"},
                                                          {-0.0, "-0"},
                                                          {1, "1"},
                                                          {-12, "-12"},
                                                          {0.1, "0.1"},
                                                          {12.5, "12.5"},
                                                          {1e-6, "0.000001"},
                                                          {-1e-7, "-1e-07"},
                                                          {5e-324, "5e-324"},
                                                          {1e20, "100000000000000000000"},
                                                          {1e21, "1e+21"},
                                                          {1e22, "1e+22"},
                                                          {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                          {9007199254740991, "9007199254740991"},
                                                          {9007199254740992, "9007199254740992"},
                                                          {9223372036854775808.0, "9223372036854776000"},
                                                          {-123456789012345678901.0, "-123456789012345680000"},
                                                          {1435781430.781, "1435781430.781"},
                                                          {std::nan(""), "NaN"},
                                                          {HUGE_VAL, "+Inf"},
                                                          {-HUGE_VAL, "-Inf"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(made(append_sample_value, value), text);
}

TEST(PrometheusJsonTest, ScalarsHaveNoExponentAndAlertsAlways) {
  EXPECT_EQ(made(append_plain_value, -1e-7), "-0.0000001");
  EXPECT_EQ(made(append_plain_value, 1e22), "10000000000000000000000");
  EXPECT_EQ(made(append_plain_value, 1.5e300).size(), 301U);
  EXPECT_EQ(made(append_plain_value, HUGE_VAL), "+Inf");
  EXPECT_EQ(made(append_exponent_value, 1), "1e+00");
  EXPECT_EQ(made(append_exponent_value, -12345), "-1.2345e+04");
  EXPECT_EQ(made(append_exponent_value, 0), "0e+00");
  EXPECT_EQ(made(append_exponent_value, std::nan("")), "NaN");
}

TEST(PrometheusJsonTest, TimesHaveThreeDecimalsOrNone) {
  EXPECT_EQ(made(append_sample_time, at(1435781430781)), "1435781430.781");
  EXPECT_EQ(made(append_sample_time, at(1435781430780)), "1435781430.780");
  EXPECT_EQ(made(append_sample_time, at(1435781430005)), "1435781430.005");
  EXPECT_EQ(made(append_sample_time, at(1435781430000)), "1435781430");
  EXPECT_EQ(made(append_sample_time, at(-1)), "-0.001");
  EXPECT_EQ(made(append_sample_time, at(std::numeric_limits<std::int64_t>::min())), "-9223372036854775.808");
  EXPECT_EQ(made(append_json_time, at(1700000000120)), "\"2023-11-14T22:13:20.12Z\"");
  EXPECT_EQ(made(append_json_time, at(1700000000000)), "\"2023-11-14T22:13:20Z\"");
}

TEST(PrometheusJsonTest, AnyTextBecomesValidJson) {
  const std::string text = std::string("a\"b\\c\nd\te\r\x01\x7f\0z<ü>", 19) + "\xff";
  std::string out;
  append_json(out, std::string_view(text));
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), text.substr(0, text.size() - 1) + "\xEF\xBF\xBD");
  for (int c = 0; c < 256; ++c) {
    std::string one;
    append_json(one, std::string_view(std::string(1, static_cast<char>(c))));
    EXPECT_TRUE(nlohmann::json::accept(one)) << c;
  }
}

TEST(PrometheusJsonTest, LabelsAreAnObject) {
  std::string out;
  append_json(out, core::Labels());
  append_json(out, core::Labels::metric("up", {{"job", "a\"b"}}));
  EXPECT_EQ(out, R"({}{"__name__":"up","job":"a\"b"})");
}

TEST(PrometheusJsonTest, AMatrixIsWrittenAsPrometheusDoes) {
  const promql::Value value =
      promql::Matrix{{core::Labels{{"a", "1"}}, {{at(1000), 1}, {at(1500), 2.5}}}, {core::Labels(), {{at(1000), 0}}}};
  std::string out;
  ASSERT_TRUE(append_query_data(out, value, at(0), 1000));
  EXPECT_EQ(out, R"({"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[1,"1"],[1.500,"2.5"]]},)"
                 R"({"metric":{},"values":[[1,"0"]]}]})");
}

TEST(PrometheusJsonTest, AnAnswerPastItsBoundIsRefused) {
  promql::Vector vector;
  for (int i = 0; i < 100; ++i) vector.push_back({core::Labels{{"n", std::to_string(i)}}, at(0), 1});
  std::string out;
  const auto refused = append_query_data(out, vector, at(0), 1 << 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, core::ErrorKind::limit);
  EXPECT_LT(out.size(), 2U << 10);
}

TEST(PrometheusJsonTest, WarningsFollowTheData) {
  std::string out(kSuccessBegins);
  out += "[]";
  close_success(out, std::vector<std::string>{"cut \"short\""});
  EXPECT_EQ(out, R"({"status":"success","data":[],"warnings":["cut \"short\""]})");
  EXPECT_EQ(error_json("bad_data", "a\"b"), R"({"status":"error","errorType":"bad_data","error":"a\"b"})");
}

TEST(PrometheusJsonTest, TheTreeIsTheTextRead) {
  EXPECT_EQ(query_data(promql::Scalar{2}, at(1500)).dump(), R"({"result":[1.5,"2"],"resultType":"scalar"})");
  EXPECT_EQ(query_error("execution", "x").dump(), R"({"error":"x","errorType":"execution","status":"error"})");
}

}  // namespace
}  // namespace weir::api

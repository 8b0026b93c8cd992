// Each preset, on an answer as its service documents it: tests/collectors/http_json/<preset>.json.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "collectors/http_json.h"
#include "config/node.h"

#include "support/source_dir.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class Recorded final : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    std::string key = request.method + " " + request.url.substr(std::string("http://service").size());
    if (!request.body.empty()) key += " " + request.body;
    const auto found = answers.find(key);
    if (found == answers.end()) ADD_FAILURE() << "nothing is recorded for " << key;
    if (found == answers.end()) return net::HttpResponse{404, {}, "{}"};
    return net::HttpResponse{200, {{"content-type", "application/json"}}, found->dump()};
  }
  json answers;
};

class PresetTest : public testing::TestWithParam<std::string> {};

TEST_P(PresetTest, MakesOfADocumentedAnswerWhatItSays) {
  const std::filesystem::path path =
      std::filesystem::path(test::source_dir()) / "tests/collectors/http_json" / (GetParam() + ".json");
  std::ifstream file(path);
  ASSERT_TRUE(file) << "the preset has no recorded answer: " << path;
  const json recorded = json::parse(file);
  ASSERT_FALSE(recorded["source"].get<std::string>().empty());
  config::Diagnostics diagnostics;
  json entry = {{"name", "x"}, {"url", "http://service"}, {"preset", GetParam()}};
  if (recorded.contains("variables")) entry["variables"] = recorded["variables"];
  if (recorded.contains("labels")) entry["labels"] = recorded["labels"];
  const config::Node node = config::parse_yaml(entry.dump(), "weir.yml", diagnostics);
  HttpJsonSettings settings = parse_http_json(node, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  Recorded http;
  http.answers = recorded["answers"];
  HttpJsonCollector collector(std::move(settings), http);
  const auto batch = collector.collect(
      {core::Time(1'700'000'000s), std::chrono::steady_clock::now() + 10s, {}});  // 2023-11-14T22:13:20Z
  ASSERT_TRUE(batch) << batch.error().describe();
  for (const core::Fault& fault : batch->faults) ADD_FAILURE() << fault.error.describe();
  std::map<std::string, double> samples;
  for (const core::Sample& sample : batch->samples) {
    std::string name = sample.labels.to_string();
    if (!name.ends_with('}')) name += "{}";
    EXPECT_TRUE(samples.emplace(name, sample.value).second) << name << " is there twice";
  }
  for (const auto& [name, value] : recorded["samples"].items()) {
    ASSERT_TRUE(samples.contains(name)) << name << "\n" << json(samples).dump(1);
    EXPECT_EQ(samples[name], value.get<double>()) << name;
  }
  EXPECT_EQ(samples.size(), recorded["count"].get<std::size_t>()) << json(samples).dump(1);
  std::vector<std::string> events;
  for (const core::Event& event : batch->events) events.push_back(event.message);
  EXPECT_EQ(json(events), recorded["events"]);
  std::vector<std::string> edges;
  for (const core::Edge& edge : batch->edges) {
    EXPECT_EQ(edge.seen_by, GetParam());
    edges.push_back(edge.from.kind + " " + edge.from.place + "/" + edge.from.name + " -> " + edge.to.kind + " " +
                    edge.to.place + "/" + edge.to.name);
  }
  EXPECT_EQ(json(edges), recorded.value("edges", json::array()));
}

INSTANTIATE_TEST_SUITE_P(HttpJson, PresetTest, testing::ValuesIn(http_json_presets()),
                         [](const auto& preset) { return preset.param; });

}  // namespace
}  // namespace weir::collectors

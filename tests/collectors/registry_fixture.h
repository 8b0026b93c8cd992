#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "collectors/fake_registry.h"
#include "collectors/schema_registry.h"

namespace weir::collectors {

using namespace std::chrono_literals;
using core::ErrorKind;

/// A collector of a registry in memory, and what its batches say.
class SchemaRegistryTest : public testing::Test {
 protected:
  SchemaRegistryTest() {
    settings_.name = "main";
    settings_.endpoint.url = registry_.base;
    std::filesystem::create_directories(folder_);
  }
  ~SchemaRegistryTest() override { std::filesystem::remove_all(folder_); }

  SchemaRegistryCollector& collector() {
    if (!collector_) collector_ = std::make_unique<SchemaRegistryCollector>(settings_, registry_);
    return *collector_;
  }
  core::Result<core::Batch> collect() {
    now_ += 30s;
    registry_.requests.clear();
    return collector().collect({.now = now_, .deadline = std::chrono::steady_clock::now() + 10s, .stop = {}});
  }
  core::Batch seen() {
    auto batch = collect();
    EXPECT_TRUE(batch) << batch.error().describe();
    for (const core::Fault& fault : batch->faults) ADD_FAILURE() << fault.error.describe();
    return std::move(*batch);
  }
  void candidate(const std::string& subject, const std::string& text) {
    const std::string file = folder_ + "/candidate.avsc";
    std::ofstream(file) << text;
    if (settings_.candidates.empty()) settings_.candidates.push_back({subject, file});
  }
  static std::optional<double> value(const core::Batch& batch, const std::string& series) {
    for (const core::Sample& sample : batch.samples) {
      if (sample.labels.to_string() == series) return sample.value;
    }
    return std::nullopt;
  }
  static std::vector<std::string> events(const core::Batch& batch) {
    std::vector<std::string> found;
    for (const core::Event& event : batch.events) found.push_back(event.kind + ": " + event.message);
    return found;
  }
  std::optional<double> compatible(const core::Batch& batch, const std::string& subject = "a") {
    return value(batch, R"(schema_registry_subject_compatible{registry="main",subject=")" + subject + "\"}");
  }
  std::optional<double> candidate_compatible(const core::Batch& batch) {
    return value(batch, R"(schema_registry_candidate_compatible{registry="main",subject="a"})");
  }
  std::optional<double> checks(const core::Batch& batch, const std::string& result) {
    return value(
        batch, R"(schema_registry_compatibility_checks_total{registry="main",result=")" + result + R"(",subject="a"})");
  }

  FakeRegistry registry_;
  SchemaRegistrySettings settings_;
  std::unique_ptr<SchemaRegistryCollector> collector_;
  core::Time now_ = core::Time(1000s);
  std::string folder_ = testing::TempDir() + "/weir_registry_" + std::to_string(::getpid());
};

}  // namespace weir::collectors

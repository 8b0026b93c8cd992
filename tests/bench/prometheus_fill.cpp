// Two hours of 60,000 consumer-group lags at 15 s, up to now: into a snapshot for Weir, and by remote write into a
// Prometheus. Usage: prometheus_fill SNAPSHOT PROMETHEUS_URL

#include <bit>
#include <chrono>
#include <cstdio>
#include <random>

#include "net/http_client.h"
#include "series/snapshot.h"
#include "series/store.h"

namespace {

using namespace std::chrono_literals;
using weir::core::Labels;
using weir::core::Time;

constexpr int kGroups = 1000;
constexpr int kPartitions = 60;
constexpr int kCycles = 480;
constexpr int kCyclesInRequest = 60;
constexpr std::size_t kSeriesInRequest = 2000;
constexpr std::size_t kLiteral = 60;  // bytes in a snappy literal whose length fits its tag

void put_varint(std::string& out, std::uint64_t value) {
  for (; value > 0x7f; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

void put_field(std::string& out, unsigned number, std::string_view content) {
  out += static_cast<char>(number << 3U | 2U);
  put_varint(out, content.size());
  out += content;
}

/// A series of Prometheus's remote write 1.0.
std::string time_series(const Labels& labels, const std::vector<weir::core::Point>& points) {
  std::string out;
  for (const auto& [name, value] : labels) {
    std::string label;
    put_field(label, 1, name);
    put_field(label, 2, value);
    put_field(out, 1, label);
  }
  for (const weir::core::Point& point : points) {
    std::string sample = "\x09";
    const auto bits = std::bit_cast<std::uint64_t>(point.value);
    for (unsigned byte = 0; byte < 8; ++byte) sample += static_cast<char>(bits >> (8 * byte));
    sample += '\x10';
    put_varint(sample, static_cast<std::uint64_t>(point.time.time_since_epoch().count()));
    put_field(out, 2, sample);
  }
  return out;
}

/// A snappy block may consist of literals alone.
std::string as_snappy(std::string_view data) {
  std::string out;
  put_varint(out, data.size());
  for (std::size_t at = 0; at < data.size(); at += kLiteral) {
    const std::string_view part = data.substr(at, kLiteral);
    out += static_cast<char>((part.size() - 1) << 2U);
    out += part;
  }
  return out;
}

bool post(weir::net::HttpClient& client, const std::string& url, std::string_view message) {
  const auto answer = client.send({.method = "POST",
                                   .url = url + "/api/v1/write",
                                   .headers = {{"Content-Type", "application/x-protobuf"},
                                               {"Content-Encoding", "snappy"},
                                               {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                                   .body = as_snappy(message),
                                   .timeout = 60s});
  if (answer && answer->status / 100 == 2) return true;
  std::fprintf(stderr, "remote write: %s\n", answer ? answer->body.c_str() : answer.error().describe().c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: prometheus_fill SNAPSHOT PROMETHEUS_URL\n");
    return 2;
  }
  std::vector<Labels> labels;
  for (int group = 0; group < kGroups; ++group) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      labels.push_back(Labels::metric("kafka_consumergroup_lag", {{"cluster", "bench"},
                                                                  {"consumergroup", "g" + std::to_string(group)},
                                                                  {"topic", "t" + std::to_string(group % 50)},
                                                                  {"partition", std::to_string(partition)}}));
    }
  }
  const Time end = std::chrono::floor<std::chrono::seconds>(
      std::chrono::time_point_cast<weir::core::Duration>(std::chrono::system_clock::now()));
  weir::series::Store store({.retention = 6h, .max_series = 100'000, .max_bytes = 1U << 30U});
  const auto client = weir::net::make_curl_client();
  std::mt19937 random(1);
  std::vector<double> lag(labels.size());
  for (int first = 0; first < kCycles; first += kCyclesInRequest) {
    std::vector<std::vector<weir::core::Point>> points(labels.size());
    for (int cycle = first; cycle < first + kCyclesInRequest; ++cycle) {
      weir::core::Batch batch;
      const Time now = end - 15s * (kCycles - 1 - cycle);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        // A third idle, a third that follows, a third that falls behind.
        if (i % 3 == 1) lag[i] = static_cast<double>(random() % 200);
        if (i % 3 == 2) lag[i] += static_cast<double>(random() % 50);
        batch.samples.push_back({labels[i], now, lag[i]});
        points[i].push_back({now, lag[i]});
      }
      store.ingest("kafka/bench", batch, now);
    }
    for (std::size_t start = 0; start < labels.size(); start += kSeriesInRequest) {
      std::string message;
      for (std::size_t i = start; i < std::min(labels.size(), start + kSeriesInRequest); ++i)
        put_field(message, 1, time_series(labels[i], points[i]));
      if (!post(*client, argv[2], message)) return 1;
    }
  }
  const auto saved = weir::series::save_snapshot(store, argv[1]);
  if (!saved) {
    std::fprintf(stderr, "%s\n", saved.error().describe().c_str());
    return 1;
  }
  const auto stats = store.stats();
  std::printf("%zu %zu %zu %lld\n", stats.series, stats.samples, stats.chunk_bytes,
              static_cast<long long>(end.time_since_epoch().count()));
}

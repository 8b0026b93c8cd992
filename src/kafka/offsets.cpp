#include "kafka/offsets.h"

#include <algorithm>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <span>
#include <utility>

#include "kafka/errors.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

/// librdkafka searches its partition lists from the start: the square of this is what one call costs.
constexpr std::size_t kMaxPartitionsPerCall = 500;
/// Bounds the calls that single out what fails.
constexpr int kMaxFailedCalls = 200;

struct Ref {
  std::int32_t leader = 0;
  std::uint32_t topic = 0;
  std::uint32_t partition = 0;  // index into the topic's partitions
};

std::vector<Ref> led_partitions(const std::vector<Topic>& topics) {
  std::vector<Ref> refs;
  for (std::uint32_t topic = 0; topic < topics.size(); ++topic) {
    const auto& partitions = topics[topic].partitions;
    for (std::uint32_t i = 0; i < partitions.size(); ++i) {
      if (partitions[i].leader >= 0) refs.push_back({partitions[i].leader, topic, i});
    }
  }
  return refs;
}

/// rd_kafka_offsets_for_times sends one ListOffsets to each leader, all at once, but one error fails the
/// whole call. A failed call is therefore repeated for its parts: each leader, then halves.
class OffsetReader {
 public:
  OffsetReader(Connection& connection, const Budget& budget, milliseconds patience, std::vector<Topic>& topics,
               const BrokerIds& silent)
      : connection_(connection),
        budget_(budget),
        patience_(std::min(patience, kLongestCall)),
        topics_(topics),
        codes_(topics.size(), 0),
        dead_leaders_(silent) {}

  /// One kind of offset of all partitions, into this field of them. Reorders `refs`.
  core::Result<void> pass(std::vector<Ref>& refs, std::int64_t timestamp, std::int64_t Partition::*field) {
    timestamp_ = timestamp;
    field_ = field;
    for (std::size_t at = 0; at < refs.size(); at += kMaxPartitionsPerCall) {
      read(std::span<Ref>(refs.data() + at, std::min(kMaxPartitionsPerCall, refs.size() - at)));
      if (cancelled_) return std::unexpected(*cancelled_);
    }
    return {};
  }

  const std::vector<int>& codes() const { return codes_; }
  const BrokerIds& dead_leaders() const { return dead_leaders_; }

 private:
  void fail(std::span<const Ref> refs, int code) {
    for (const Ref& ref : refs) {
      if (codes_[ref.topic] == 0) codes_[ref.topic] = code;
    }
  }

  void read(std::span<Ref> refs) {
    if (refs.empty() || cancelled_) return;
    if (auto error = connection_.give_up(budget_)) {
      if (error->kind == core::ErrorKind::cancelled) cancelled_ = std::move(error);
      return fail(refs, RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    if (failed_calls_ >= kMaxFailedCalls) return fail(refs, RD_KAFKA_RESP_ERR__TIMED_OUT);
    const auto dead = std::ranges::stable_partition(
        refs, [&](const Ref& ref) { return std::ranges::find(dead_leaders_, ref.leader) == dead_leaders_.end(); });
    fail(dead, RD_KAFKA_RESP_ERR__TIMED_OUT);
    refs = refs.first(refs.size() - dead.size());
    if (refs.empty()) return;
    const int code = call(refs);
    if (code == 0) return;
    ++failed_calls_;
    split(refs, code);
  }

  void split(std::span<Ref> refs, int code) {
    const auto leader = [](const Ref& ref) { return ref.leader; };
    std::ranges::stable_sort(refs, {}, leader);
    if (refs.front().leader != refs.back().leader) {
      while (!refs.empty()) {
        const auto next = std::ranges::upper_bound(refs, refs.front().leader, {}, leader);
        const auto count = static_cast<std::size_t>(next - refs.begin());
        read(refs.first(count));
        refs = refs.subspan(count);
      }
    } else if (is_connection_error(code)) {
      dead_leaders_.push_back(refs.front().leader);  // waiting for it once a cycle is enough
      fail(refs, code);
    } else if (refs.size() == 1) {
      fail(refs, code);
    } else {
      read(refs.first(middle(refs)));
      read(refs.subspan(middle(refs)));
    }
  }

  /// Where to cut in two: between topics when there are several, since they fail as a whole.
  static std::size_t middle(std::span<const Ref> refs) {
    const std::size_t half = refs.size() / 2;
    std::size_t cut = half;
    while (cut > 0 && refs[cut - 1].topic == refs[half].topic) --cut;
    if (cut > 0) return cut;
    cut = half;
    while (cut < refs.size() && refs[cut].topic == refs[half].topic) ++cut;
    return cut < refs.size() ? cut : half;
  }

  int call(std::span<const Ref> refs) {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(refs.size())));
    for (const Ref& ref : refs) {
      const Topic& topic = topics_[ref.topic];
      rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), topic.partitions[ref.partition].id)->offset =
          timestamp_;
    }
    const int timeout = static_cast<int>(std::max<milliseconds::rep>(1, budget_.left(patience_).count()));
    const int code = rd_kafka_offsets_for_times(connection_.handle(), list.get(), timeout);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
    connection_.answered();
    for (std::size_t i = 0; i < refs.size(); ++i) {
      const rd_kafka_topic_partition_t& element = list->elems[i];
      if (element.err == 0 && element.offset >= 0) {
        topics_[refs[i].topic].partitions[refs[i].partition].*field_ = element.offset;
      } else {
        fail(refs.subspan(i, 1), element.err != 0 ? element.err : RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE);
      }
    }
    return 0;
  }

  Connection& connection_;
  const Budget& budget_;
  milliseconds patience_;
  std::vector<Topic>& topics_;
  std::vector<int> codes_;
  std::int64_t timestamp_ = 0;
  std::int64_t Partition::*field_ = nullptr;
  int failed_calls_ = 0;
  BrokerIds dead_leaders_;
  std::optional<core::Error> cancelled_;
};

}  // namespace

core::Result<OffsetsRead> read_offsets(Connection& connection, Connection* committed, const Budget& budget,
                                       milliseconds patience, std::vector<Topic>& topics, const BrokerIds& silent) {
  std::vector<Ref> refs = led_partitions(topics);
  OffsetReader reader(connection, budget, patience, topics, silent);
  // Start offsets first: retention moves them up, and start <= end must hold.
  if (auto read = reader.pass(refs, RD_KAFKA_OFFSET_BEGINNING, &Partition::start); !read)
    return std::unexpected(std::move(read.error()));
  std::vector<int> stable_codes;
  if (committed != nullptr) {
    OffsetReader stable(*committed, budget, patience, topics, reader.dead_leaders());
    if (auto read = stable.pass(refs, RD_KAFKA_OFFSET_END, &Partition::stable); !read)
      return std::unexpected(std::move(read.error()));
    stable_codes = stable.codes();
  }
  if (auto read = reader.pass(refs, RD_KAFKA_OFFSET_END, &Partition::end); !read)
    return std::unexpected(std::move(read.error()));
  OffsetsRead result;
  result.stable_codes = std::move(stable_codes);
  result.codes = reader.codes();
  result.silent = reader.dead_leaders();
  return result;
}

}  // namespace weir::kafka

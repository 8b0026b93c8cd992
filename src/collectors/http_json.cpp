#include "collectors/http_json.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <unordered_map>

#include "collectors/http_pages.h"
#include "collectors/http_session.h"
#include "collectors/json_pointer.h"
#include "collectors/json_scope.h"
#include "collectors/json_template.h"
#include "core/clock_skew.h"
#include "core/percent.h"

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;
using nlohmann::json;

constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostPages = 50;
constexpr std::size_t kLongestLabel = 256;
constexpr std::size_t kMostEdges = 20'000;
constexpr std::size_t kMostParts = 1000;  // of a text that is split
constexpr std::size_t kMostRemembered = 20'000;
constexpr core::Duration kNews = std::chrono::hours(1);
constexpr core::Duration kMostSkew = std::chrono::minutes(1);

/// Sums up what items say of one series.
struct Sum {
  double value = 0;
  bool any = false;

  void add(double more, JsonAggregate how) {
    if (!any || how == JsonAggregate::none) {
      value = how == JsonAggregate::count ? 1 : more;
    } else if (how == JsonAggregate::first) {
      return;
    } else if (how == JsonAggregate::count) {
      value += 1;
    } else if (how == JsonAggregate::sum) {
      value += more;
    } else {
      value = how == JsonAggregate::max ? std::max(value, more) : std::min(value, more);
    }
    any = true;
  }
};

std::string json_escape(std::string_view text) {
  const std::string quoted = json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

class HttpJsonCollector::Impl {
 public:
  Impl(HttpJsonSettings settings, net::HttpClient& http)
      : settings_(std::move(settings)), name_("http_json/" + settings_.name), session_(settings_, http) {
    note_metrics(settings_.requests);
  }

  const std::string& name() const { return name_; }
  core::Duration interval() const { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const { return metrics_; }

  core::Result<core::Batch> collect(const core::CollectContext& context) {
    if (auto begun = session_.begin(context); !begun) return std::unexpected(begun.error());
    now_ = context.now;
    if (!began_) began_ = now_;
    batch_ = {};
    series_.clear();
    order_.clear();
    edges_.clear();
    skewed_.clear();
    last_.reset();
    memory_.clear();
    refused_ = false;
    answers_ = 0;
    ++cycle_;
    const Around around{{settings_.labels.begin(), settings_.labels.end()}, {}};
    for (const JsonRequest& request : settings_.requests) {
      run(request, around);
      if (context.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "stopped", name_);
    }
    last_.reset();
    // Where nothing at all was seen, that is one error and no series is touched.
    if (order_.empty() && !batch_.faults.empty() && answers_ == 0) return std::unexpected(batch_.faults.front().error);
    for (const Labels& series : order_) batch_.samples.push_back({series, now_, series_[series].value});
    batch_.edges.assign(edges_.begin(), edges_.end());
    std::erase_if(told_, [&](const auto& entry) { return entry.second.seen + 4 < cycle_; });
    std::erase_if(changes_, [&](const auto& entry) { return entry.second.seen + 4 < cycle_; });
    return std::move(batch_);
  }

 private:
  /// What requests below an item are given of it.
  struct Around {
    JsonNames labels;
    JsonNames lets;
  };
  struct Told {
    std::string value;
    std::uint64_t seen = 0;
  };
  struct Changes {
    std::string value;
    double count = 0;
    std::uint64_t seen = 0;
  };
  struct Answer {
    PageRequest asked;
    json body;
    net::HttpResponse response;  // without its body
  };

  void note_metrics(const std::vector<JsonRequest>& requests) {
    for (const JsonRequest& request : requests) {
      for (const JsonMetric& metric : request.metrics) metrics_.push_back({metric.name, metric.type, metric.help});
      note_metrics(request.each);
    }
  }

  void fault(core::Error error, const JsonNames& labels) {
    std::vector<Labels::Pair> pairs(labels.begin(), labels.end());
    batch_.faults.push_back({std::move(error), Labels(pairs)});
  }

  std::string fill(std::string_view text, const Around& around,
                   const std::function<std::string(std::string_view)>& escape) const {
    static const json kNothing;
    const JsonScope scope{kNothing, {}, around.labels, around.lets, settings_.variables, memory_};
    return fill_template(
        text, now_, [&](std::string_view name) { return name.starts_with('/') ? std::nullopt : scope.look_up(name); },
        escape);
  }

  /// All pages of a request. A page that comes twice would come for ever.
  void run(const JsonRequest& request, const Around& around) {
    PageRequest next{settings_.endpoint.url + fill(request.path, around, core::percent_encoded),
                     fill(request.body, around, json_escape)};
    std::set<std::pair<std::string, std::string>> seen;
    for (std::size_t page = 0;; ++page) {
      const auto failed = [&](ErrorKind kind, std::string message) {
        fault(core::fail(kind, std::move(message), request.path).error(), around.labels);
      };
      if (page == kMostPages) return failed(ErrorKind::limit, fmt::format("there are more than {} pages", kMostPages));
      if (!seen.emplace(next.url, next.body).second) {
        return failed(ErrorKind::protocol, "the pages go round in a circle");
      }
      auto got = answer(request, next);
      if (!got) {
        if (got.error().kind == ErrorKind::cancelled && got.error().message.empty()) return;  // it may be absent
        return fault(std::move(got.error()), around.labels);
      }
      const std::shared_ptr<const Answer> current = *got;
      ++answers_;
      for (const std::string& pointer : request.errors) {
        const std::string said = json_text_at(current->body, pointer);
        if (!said.empty()) return failed(ErrorKind::protocol, "the service says: " + said_of(said));
      }
      if (!request.absent_is_empty && !has_items(request, current->body)) {
        return failed(ErrorKind::protocol, fmt::format("the answer has no {}, so it is not the one that is expected",
                                                       fixed_part(request.items)));
      }
      const std::size_t items = take(request, current->body, around);
      auto following =
          next_page(request.pages, current->body, current->response, next, page, items, settings_.endpoint.url);
      if (!following) return fault(std::move(following.error()), around.labels);
      if (!*following) return;
      next = std::move(**following);
    }
  }

  static std::string said_of(const std::string& text) { return json_excerpt(privacy::mask(text)); }

  /// The pointer up to its first *.
  static std::string fixed_part(const std::string& pointer) {
    const std::size_t star = pointer.find("/*");
    return pointer.substr(0, star);
  }

  static bool has_items(const JsonRequest& request, const json& body) {
    const json* found = json_at(body, fixed_part(request.items));
    return found != nullptr && (request.items.find("/*") == std::string::npos || found->is_structured());
  }

  /// The answer, that of the request before where it is the same. An error without a message: none, as it may be.
  core::Result<std::shared_ptr<const Answer>> answer(const JsonRequest& request, const PageRequest& asked) {
    const bool reads = request.method == "GET";
    if (reads && last_ && last_->asked.url == asked.url) return last_;
    auto response = session_.send(request.method, asked.url, asked.body);
    if (!response) return std::unexpected(response.error());
    if (std::ranges::find(request.optional, response->status) != request.optional.end()) {
      ++answers_;
      return core::fail(ErrorKind::cancelled, "");
    }
    if (auto fine = session_.check(request.method, asked.url, *response); !fine) return std::unexpected(fine.error());
    auto body = parse_json(response->body, kMostLevels);
    if (!body) return core::fail(body.error().kind, body.error().message, request.path);
    response->body.clear();
    auto made = std::make_shared<const Answer>(Answer{asked, std::move(*body), std::move(*response)});
    if (reads) last_ = made;
    return made;
  }

  std::size_t take(const JsonRequest& request, const json& answer, const Around& around) {
    std::size_t items = 0;
    const auto pointer = JsonPointer::parse(request.items);
    if (!pointer) return 0;
    pointer->each(answer, [&](const json& value, const std::vector<std::string>& stars) {
      ++items;
      JsonScope scope{value, stars, around.labels, around.lets, settings_.variables, memory_};
      if (request.split.name.empty()) {
        take_item(request, scope);
      } else {
        take_parts(request, scope);
      }
      return series_.size() <= settings_.sample_limit;
    });
    return items;
  }

  void take_parts(const JsonRequest& request, const JsonScope& whole) {
    const std::string all = json_text_at(whole.value, request.split.value);
    std::string_view rest = all;
    for (std::size_t parts = 0; !rest.empty() && parts < kMostParts; ++parts) {
      std::string_view part = rest.substr(0, rest.find(request.split.by));
      rest.remove_prefix(std::min(rest.size(), part.size() + request.split.by.size()));
      while (part.starts_with(' ')) part.remove_prefix(1);
      while (part.ends_with(' ')) part.remove_suffix(1);
      if (part.empty()) continue;
      JsonScope scope{whole.value, whole.stars, whole.labels, whole.lets, whole.variables, whole.memory};
      scope.lets[request.split.name] = part;
      take_item(request, scope);
    }
  }

  void take_item(const JsonRequest& request, JsonScope& scope) {
    for (const JsonLabel& label : request.labels) scope.labels[label.name] = label_of(label, scope);
    for (const JsonLabel& let : request.lets) scope.lets[let.name] = value_of(let.value, scope, now_);
    if (!holds(scope, request.where)) return;
    if (const JsonMemory& memory = request.remember; !memory.name.empty()) {
      JsonNames& table = memory_[memory.name];
      if (table.size() < kMostRemembered) {
        table.insert_or_assign(json_text_at(scope.value, memory.key), json_text_at(scope.value, memory.value));
      }
    }
    for (const JsonMetric& metric : request.metrics) measure(metric, scope);
    for (const JsonEvent& event : request.events) tell(event, scope);
    for (const JsonEdge& edge : request.edges) connect(edge, scope);
    for (const JsonRequest& each : request.each) run(each, {scope.labels, scope.lets});
  }

  std::string label_of(const JsonLabel& label, const JsonScope& scope) const {
    std::string value = value_of(label.value, scope, now_);
    return value.size() > kLongestLabel ? privacy::cut(std::move(value), kLongestLabel) : value;
  }

  void measure(const JsonMetric& metric, const JsonScope& scope) {
    if (!holds(scope, metric.where)) return;
    core::LabelsBuilder builder;
    for (const auto& [name, value] : scope.labels) builder.set(name, value);
    for (const JsonLabel& label : metric.labels) builder.set(label.name, label_of(label, scope));
    builder.set(core::kMetricName, metric.name);
    if (metric.aggregate == JsonAggregate::count) return add(builder.build(), 1, metric.aggregate);
    const bool named = metric.value.starts_with('{');
    const json text = named ? json(text_of(metric.value, scope).value_or("")) : json();
    const json* value = named ? &text : json_at(scope.value, metric.value);
    if (value == nullptr || value->is_null()) return;
    if (!metric.states.empty()) {
      const std::string state = json_text(*value).value_or("");
      for (const std::string& each : metric.states) {
        add(builder.set("state", each).build(), each == state ? 1 : 0, metric.aggregate);
      }
      return;
    }
    if (!metric.changes_to.empty()) return count_changes(metric, json_text(*value).value_or(""), builder.build());
    if (metric.unit == JsonUnit::age && (is_skewed(metric) || lies_ahead(metric, *value))) return;
    const auto number = number_of(metric, *value, now_);
    if (number) return add(builder.build(), *number * metric.scale, metric.aggregate);
    batch_.faults.push_back(
        {core::fail(ErrorKind::protocol,
                    fmt::format("{}: \"{}\" is not what {} expects", metric.value,
                                json_excerpt(json_text(*value).value_or(value->type_name())), metric.name),
                    settings_.endpoint.url)
             .error(),
         builder.build(), true});
  }

  /// What was seen before a gap of some cycles is forgotten, and so is its count: it begins anew, as a counter may.
  void count_changes(const JsonMetric& metric, const std::string& value, Labels labels) {
    if (changes_.size() >= settings_.sample_limit && !changes_.contains(labels)) return;
    Changes& changes = changes_[labels];
    changes.seen = cycle_;
    const std::string before = std::exchange(changes.value, value);
    const bool from = std::ranges::find(metric.changes_from, before) != metric.changes_from.end();
    const bool to = std::ranges::find(metric.changes_to, value) != metric.changes_to.end();
    if (from && to && before != value) changes.count += 1;
    add(std::move(labels), changes.count, metric.aggregate);
  }

  /// True when the service's clock is too far off for ages; says so once for each metric.
  bool is_skewed(const JsonMetric& metric) {
    const core::Duration skew = session_.skew().value_or(core::Duration(0));
    if (std::chrono::abs(skew) <= kMostSkew) return false;
    if (skewed_.insert(metric.name).second) {
      fault(core::fail(ErrorKind::protocol,
                       fmt::format("the service's clock is {} {} of this machine's, so ages ({}) cannot be told; set "
                                   "the clock that is wrong",
                                   core::rounded(std::chrono::abs(skew)), skew > core::Duration(0) ? "ahead" : "behind",
                                   metric.name),
                       settings_.endpoint.url)
                .error(),
            {{std::string(core::kMetricName), metric.name}});
    }
    return true;
  }

  /// True when what should be over lies ahead: some clock that the service rests on is wrong. Says so once for each
  /// metric.
  bool lies_ahead(const JsonMetric& metric, const json& value) {
    const auto time = json_time(value);
    if (metric.planned || !time || !core::is_ahead(*time, now_)) return false;
    if (skewed_.insert(metric.name).second) {
      fault(core::fail(ErrorKind::protocol,
                       fmt::format("{} is {}, {}, so its age ({}) cannot be told; set the clock that is wrong, or its "
                                   "time zone",
                                   metric.value.empty() ? "the value" : metric.value, core::format_rfc3339(*time),
                                   core::off_by(*time, now_), metric.name),
                       settings_.endpoint.url)
                .error(),
            {{std::string(core::kMetricName), metric.name}});
    }
    return true;
  }

  void add(Labels labels, double value, JsonAggregate how) {
    if (series_.size() >= settings_.sample_limit && !series_.contains(labels)) {
      if (!std::exchange(refused_, true)) {
        fault(core::fail(ErrorKind::limit,
                         fmt::format("there are more than {} samples; raise sample_limit, or have less asked for",
                                     settings_.sample_limit),
                         settings_.endpoint.url)
                  .error(),
              {});
      }
      return;
    }
    const auto [sum, added] = series_.try_emplace(labels);
    if (added) order_.push_back(std::move(labels));
    sum->second.add(value, how);
  }

  void tell(const JsonEvent& event, const JsonScope& scope) {
    if (!holds(scope, event.where)) return;
    const std::string value = text_of(event.value, scope).value_or("");
    std::vector<Labels::Pair> pairs(scope.labels.begin(), scope.labels.end());
    const Labels labels(pairs);
    const auto key = std::tuple(event.kind, labels, event.key.empty() ? "" : json_text_at(scope.value, event.key));
    if (told_.size() >= settings_.sample_limit && !told_.contains(key)) return;
    Told& told = told_[key];
    told.seen = cycle_;
    const bool came = std::ranges::find(event.to, value) != event.to.end();
    if (std::exchange(told.value, value) == value || !came || is_old(event, scope)) return;
    const std::string message = fill_template(
        event.message, now_, [&](std::string_view name) { return scope.look_up_masked(name); },
        [](std::string_view text) { return json_excerpt(std::string(text)); });
    batch_.events.push_back({now_, event.kind, labels, message});
  }

  /// What happened before the collector began is no news.
  bool is_old(const JsonEvent& event, const JsonScope& scope) const {
    if (event.time.empty()) return false;
    const json* value = json_at(scope.value, event.time);
    const auto time = value == nullptr ? std::nullopt : json_time(*value);
    return time && *began_ - *time > kNews;
  }

  void connect(const JsonEdge& edge, const JsonScope& scope) {
    if (!holds(scope, edge.where)) return;
    const auto filled = [&](const JsonNode& node) {
      const auto text = [&](const std::string& from) {
        return fill_template(
            from, now_, [&](std::string_view name) { return scope.look_up(name); },
            [](std::string_view plain) { return privacy::cut(std::string(plain), kLongestLabel); });
      };
      return core::Node{text(node.kind), text(node.place), text(node.name)};
    };
    core::Edge made{filled(edge.from), filled(edge.to), settings_.seen_by};
    if (made.from.name.empty() || made.to.name.empty() || edges_.size() >= kMostEdges) return;
    edges_.insert(std::move(made));
  }

  HttpJsonSettings settings_;
  std::string name_;
  HttpSession session_;
  std::vector<core::MetricInfo> metrics_;
  std::map<std::tuple<std::string, Labels, std::string>, Told> told_;
  std::unordered_map<Labels, Changes> changes_;
  std::uint64_t cycle_ = 0;
  std::optional<core::Time> began_;  // the first cycle
  // Of the cycle.
  core::Time now_;
  core::Batch batch_;
  std::unordered_map<Labels, Sum> series_;
  std::vector<Labels> order_;  // of the series, so that batches are alike
  std::set<core::Edge> edges_;
  std::set<std::string> skewed_;  // metrics whose ages cannot be told
  std::map<std::string, JsonNames> memory_;
  std::shared_ptr<const Answer> last_;
  std::size_t answers_ = 0;
  bool refused_ = false;
};

HttpJsonCollector::HttpJsonCollector(HttpJsonSettings settings, net::HttpClient& http)
    : impl_(std::make_unique<Impl>(std::move(settings), http)) {}
HttpJsonCollector::~HttpJsonCollector() = default;
std::string_view HttpJsonCollector::name() const { return impl_->name(); }
core::Duration HttpJsonCollector::interval() const { return impl_->interval(); }
std::span<const core::MetricInfo> HttpJsonCollector::metrics() const { return impl_->metrics(); }
core::Result<core::Batch> HttpJsonCollector::collect(const core::CollectContext& context) {
  return impl_->collect(context);
}

}  // namespace weir::collectors

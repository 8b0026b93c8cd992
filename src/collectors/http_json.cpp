#include "collectors/http_json.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "collectors/http_session.h"
#include "collectors/json_pointer.h"
#include "collectors/json_template.h"
#include "collectors/schema_registry_client.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;
using nlohmann::json;

constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostPages = 50;
constexpr std::size_t kLongestLabel = 256;
constexpr std::size_t kLongestText = 400;

using LabelMap = std::map<std::string, std::string, std::less<>>;

/// One thing that a request is about, with the labels of the requests around it.
struct Item {
  const json& value;
  const std::vector<std::string>& names;
  LabelMap labels;
};

const json* at(const json& root, const std::string& pointer) {
  const auto parsed = JsonPointer::parse(pointer);
  return parsed ? parsed->find(root) : nullptr;
}

std::string text_at(const json& root, const std::string& pointer) {
  const json* found = at(root, pointer);
  return found == nullptr ? std::string() : json_text(*found).value_or("");
}

bool holds(const json& root, const std::vector<JsonCondition>& conditions) {
  return std::ranges::all_of(conditions, [&](const JsonCondition& condition) {
    return std::ranges::find(condition.values, text_at(root, condition.pointer)) != condition.values.end();
  });
}

/// The beginning of a text on one line.
std::string excerpt(std::string text) {
  if (text.size() > kLongestText) {
    text.resize(kLongestText);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
    if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();
    text += "…";
  }
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

std::string label_of(const std::string& from, const Item& item) {
  std::string value = from;
  if (from.starts_with('/')) {
    value = text_at(item.value, from);
  } else if (from.size() == 2 && from[0] == '*' && from[1] >= '1' && from[1] <= '9') {
    const auto index = static_cast<std::size_t>(from[1] - '1');
    value = index < item.names.size() ? item.names[index] : std::string();
  }
  return value.size() > kLongestLabel ? value.substr(0, kLongestLabel) : value;
}

std::optional<double> number_of(const JsonMetric& metric, const json& value, core::Time now) {
  if (!metric.map.empty()) {
    const auto text = json_text(value);
    if (!text) return std::nullopt;
    auto found = metric.map.find(*text);
    if (found == metric.map.end()) found = metric.map.find("*");
    return found == metric.map.end() ? std::nullopt : std::optional(found->second);
  }
  switch (metric.unit) {
    case JsonUnit::plain: return json_number(value);
    case JsonUnit::milliseconds: {
      const auto number = json_number(value);
      return number ? std::optional(*number / 1000) : std::nullopt;
    }
    case JsonUnit::timestamp:
    case JsonUnit::age: {
      const auto time = json_time(value);
      if (!time) return std::nullopt;
      if (metric.unit == JsonUnit::timestamp) return core::to_seconds(*time);
      return std::max(0.0, core::to_seconds(now - *time));
    }
    case JsonUnit::length: return value.is_structured() ? std::optional(double(value.size())) : std::nullopt;
  }
  return std::nullopt;
}

/// Sums up what items say of one series.
struct Sum {
  double value = 0;
  bool any = false;

  void add(double more, JsonAggregate how) {
    if (!any || how == JsonAggregate::none) {
      value = how == JsonAggregate::count ? 1 : more;
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
    batch_ = {};
    series_.clear();
    order_.clear();
    refused_ = false;
    answers_ = 0;
    ++cycle_;
    LabelMap labels(settings_.labels.begin(), settings_.labels.end());
    for (const JsonRequest& request : settings_.requests) {
      run(request, labels);
      if (context.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "stopped", name_);
    }
    // Where nothing at all was seen, that is one error and no series is touched.
    if (order_.empty() && !batch_.faults.empty() && answers_ == 0) return std::unexpected(batch_.faults.front().error);
    for (const Labels& series : order_) batch_.samples.push_back({series, now_, series_[series].value});
    std::erase_if(told_, [&](const auto& entry) { return entry.second.seen + 4 < cycle_; });
    return std::move(batch_);
  }

 private:
  struct Told {
    std::string value;
    std::uint64_t seen = 0;
  };

  void note_metrics(const std::vector<JsonRequest>& requests) {
    for (const JsonRequest& request : requests) {
      for (const JsonMetric& metric : request.metrics) metrics_.push_back({metric.name, metric.type, metric.help});
      note_metrics(request.each);
    }
  }

  void fault(core::Error error, const LabelMap& labels) {
    std::vector<Labels::Pair> pairs(labels.begin(), labels.end());
    batch_.faults.push_back({std::move(error), Labels(pairs)});
  }

  std::string fill(std::string_view text, const LabelMap& labels,
                   const std::function<std::string(std::string_view)>& escape) const {
    return fill_template(
        text, now_,
        [&](std::string_view name) -> std::optional<std::string> {
          if (const auto found = labels.find(name); found != labels.end()) return found->second;
          const auto variable = settings_.variables.find(name);
          return variable == settings_.variables.end() ? std::nullopt : std::optional(variable->second);
        },
        escape);
  }

  /// All pages of a request. A page that comes twice would come for ever.
  void run(const JsonRequest& request, const LabelMap& labels) {
    std::string url = settings_.endpoint.url + fill(request.path, labels, percent_encode);
    const std::string body = fill(request.body, labels, json_escape);
    std::set<std::string> seen;
    for (std::size_t page = 0; !url.empty(); ++page) {
      const auto failed = [&](ErrorKind kind, std::string message) {
        fault(core::fail(kind, std::move(message), request.path).error(), labels);
      };
      if (page == kMostPages) return failed(ErrorKind::limit, fmt::format("there are more than {} pages", kMostPages));
      if (!seen.insert(url).second) return failed(ErrorKind::protocol, "the pages go round in a circle");
      auto response = session_.send(request.method, url, body);
      if (!response && request.optional && response.error().kind == ErrorKind::not_found) {
        ++answers_;
        return;
      }
      if (!response) return fault(std::move(response.error()), labels);
      const auto answer = parse_json(response->body, kMostLevels);
      if (!answer) return failed(answer.error().kind, answer.error().message);
      ++answers_;
      const std::size_t items = take(request, *answer, labels);
      url = next_page(request, *answer, *response, url, page, items);
    }
  }

  /// The URL of the next page, "" after the last. A page elsewhere would be given the login: it must be of this
  /// service.
  std::string next_page(const JsonRequest& request, const json& answer, const net::HttpResponse& response,
                        const std::string& url, std::size_t page, std::size_t items) {
    const JsonPages& pages = request.pages;
    if (!pages.cursor.empty()) {
      const std::string cursor = text_at(answer, pages.cursor);
      return cursor.empty() ? std::string() : with_parameter(url, pages.parameter, cursor);
    }
    if (pages.size > 0) {
      if (items < static_cast<std::size_t>(pages.size)) return {};
      return with_parameter(url, pages.parameter, std::to_string(static_cast<std::int64_t>(page + 1) * pages.size));
    }
    std::string next = pages.link_header    ? linked(response.header("link"))
                       : pages.next.empty() ? std::string()
                                            : text_at(answer, pages.next);
    if (next.empty()) return {};
    if (next.starts_with('/')) return origin_of(settings_.endpoint.url) + next;
    if (origin_of(next) == origin_of(settings_.endpoint.url)) return next;
    batch_.faults.push_back(
        {core::fail(ErrorKind::protocol, "the next page is of another host, which is not asked", origin_of(next))
             .error(),
         {}});
    return {};
  }

  static std::string origin_of(const std::string& url) {
    const std::size_t scheme = url.find("://");
    return scheme == std::string::npos ? std::string() : url.substr(0, url.find_first_of("/?", scheme + 3));
  }

  /// The URL with a parameter of its query set anew.
  static std::string with_parameter(const std::string& url, const std::string& name, const std::string& value) {
    const std::size_t mark = url.find('?');
    std::string out = url.substr(0, mark);
    char before = '?';
    std::string_view rest = mark == std::string::npos ? std::string_view() : std::string_view(url).substr(mark + 1);
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      if (pair.substr(0, pair.find('=')) == name) continue;
      out += std::exchange(before, '&');
      out += pair;
    }
    out += before;
    return out + name + "=" + percent_encode(value);
  }

  /// The target of rel="next" in a Link header.
  static std::string linked(std::string_view header) {
    while (!header.empty()) {
      const std::size_t open = header.find('<');
      const std::size_t close = header.find('>', open);
      if (open == std::string_view::npos || close == std::string_view::npos) return {};
      const std::string_view target = header.substr(open + 1, close - open - 1);
      header.remove_prefix(close + 1);
      const std::string_view parameters = header.substr(0, header.find('<'));
      if (parameters.find("rel=\"next\"") != std::string_view::npos ||
          parameters.find("rel=next") != std::string_view::npos)
        return std::string(target);
    }
    return {};
  }

  std::size_t take(const JsonRequest& request, const json& answer, const LabelMap& labels) {
    std::size_t items = 0;
    const auto pointer = JsonPointer::parse(request.items);
    if (!pointer) return 0;
    pointer->each(answer, [&](const json& value, const std::vector<std::string>& names) {
      ++items;
      if (!holds(value, request.where)) return true;
      Item item{value, names, labels};
      for (const JsonLabel& label : request.labels) item.labels[label.name] = label_of(label.from, item);
      for (const JsonMetric& metric : request.metrics) measure(metric, item);
      for (const JsonEvent& event : request.events) tell(event, item);
      for (const JsonRequest& each : request.each) run(each, item.labels);
      return series_.size() <= settings_.sample_limit;
    });
    return items;
  }

  void measure(const JsonMetric& metric, const Item& item) {
    if (!holds(item.value, metric.where)) return;
    core::LabelsBuilder builder;
    for (const auto& [name, value] : item.labels) builder.set(name, value);
    for (const JsonLabel& label : metric.labels) builder.set(label.name, label_of(label.from, item));
    builder.set(core::kMetricName, metric.name);
    if (metric.aggregate == JsonAggregate::count) return add(builder.build(), 1, metric.aggregate);
    const json* value = at(item.value, metric.value);
    if (value == nullptr || value->is_null()) return;
    if (!metric.states.empty()) {
      const std::string state = json_text(*value).value_or("");
      for (const std::string& each : metric.states) {
        add(builder.set("state", each).build(), each == state ? 1 : 0, metric.aggregate);
      }
      return;
    }
    const auto number = number_of(metric, *value, now_);
    if (number) return add(builder.build(), *number * metric.scale, metric.aggregate);
    batch_.faults.push_back(
        {core::fail(ErrorKind::protocol,
                    fmt::format("{}: \"{}\" is not what {} expects", metric.value,
                                excerpt(json_text(*value).value_or(value->type_name())), metric.name),
                    settings_.endpoint.url)
             .error(),
         builder.build(), true});
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

  void tell(const JsonEvent& event, const Item& item) {
    const std::string value = text_at(item.value, event.value);
    std::vector<Labels::Pair> pairs(item.labels.begin(), item.labels.end());
    const Labels labels(pairs);
    Told& told = told_[{event.kind, labels}];
    told.seen = cycle_;
    const bool came = std::ranges::find(event.to, value) != event.to.end();
    if (std::exchange(told.value, value) == value || !came) return;
    const std::string message = fill_template(
        event.message, now_,
        [&](std::string_view name) -> std::optional<std::string> {
          if (name.starts_with('/')) return text_at(item.value, std::string(name));
          const auto found = item.labels.find(name);
          return found == item.labels.end() ? std::nullopt : std::optional(found->second);
        },
        [](std::string_view text) { return excerpt(std::string(text)); });
    batch_.events.push_back({now_, event.kind, labels, message});
  }

  HttpJsonSettings settings_;
  std::string name_;
  HttpSession session_;
  std::vector<core::MetricInfo> metrics_;
  std::map<std::pair<std::string, Labels>, Told> told_;
  std::uint64_t cycle_ = 0;
  // Of the cycle.
  core::Time now_;
  core::Batch batch_;
  std::unordered_map<Labels, Sum> series_;
  std::vector<Labels> order_;  // of the series, so that batches are alike
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

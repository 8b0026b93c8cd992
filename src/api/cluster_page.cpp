#include "api/cluster_page.h"

#include "core/labels.h"

namespace weir::api {
namespace {

constexpr auto npos = std::string_view::npos;

/// Where the label `needle` (`name="value"`) stands in a sample line, or npos. A quote within a value is escaped, so
/// that it cannot be found there.
std::size_t find_label(std::string_view line, std::string_view needle) {
  for (std::size_t at = line.find(needle); at != npos; at = line.find(needle, at + 1)) {
    if (at > 0 && (line[at - 1] == '{' || line[at - 1] == ',')) return at;
  }
  return npos;
}

void append_without(std::string_view line, std::size_t at, std::size_t size, std::string& out) {
  const bool first = line[at - 1] == '{';
  const bool last = at + size < line.size() && line[at + size] == '}';
  if (first && last) {  // the only label
    out += line.substr(0, at - 1);
    out += line.substr(at + size + 1);
  } else {
    out += line.substr(0, first ? at : at - 1);
    out += line.substr(at + size + (first ? 1 : 0));
  }
}

class Filter {
 public:
  explicit Filter(std::string_view cluster) {
    std::string value;
    core::append_escaped(value, cluster);
    removed_ = "cluster=\"" + value + "\"";
    kept_ = "cluster_name=\"" + value + "\"";
  }

  void piece(std::string_view text) {
    if (text.starts_with('#')) {
      header_ = text;
      return;
    }
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      line(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view text) {
    if (const std::size_t at = find_label(text, removed_); at != npos) {
      head();
      append_without(text, at, removed_.size(), out_);
    } else if (find_label(text, kept_) != npos) {
      head();
      out_ += text;
    }
  }

  /// HELP and TYPE come before the first line of the metric that is shown.
  void head() {
    out_ += header_;
    header_ = {};
  }

  std::string removed_;
  std::string kept_;
  std::string_view header_;
  std::string out_;
};

}  // namespace

std::optional<std::string> cluster_page(const MetricsPage::Pieces& pieces, std::string_view cluster) {
  Filter filter(cluster);
  for (const auto& piece : pieces) filter.piece(*piece);
  std::string page = filter.take();
  if (page.empty()) return std::nullopt;
  return page;
}

}  // namespace weir::api

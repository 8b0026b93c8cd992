#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/incident_access.h"
#include "api/metrics_page.h"
#include "api/notifications.h"
#include "api/rule_view.h"
#include "api/web_assets.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/secret.h"
#include "core/series_source.h"

#include "lineage/catalog.h"
#include "lineage/graph.h"

namespace weir::api {

/// One collector's state, as the page shows it.
struct CollectorView {
  std::string name;
  bool ran = false;
  bool success = false;
  std::optional<core::Time> last_success;
  core::Duration duration{0};
  std::string error;
};

/// What is known of the configuration in force.
struct ReloadStatus {
  bool last_successful = true;
  core::Time last_success;
};

/// What storage is, while it is not open.
struct StorageTrouble {
  std::string state;  // "away", "standby" or "mending"
  std::string why;
  std::string holder = {};  // who has it, while this one stands by
};

/// Where data comes from and goes to, and what is told of it.
struct LineageAccess {
  std::function<std::shared_ptr<const lineage::View>()> view = {};  // empty where there is none
  std::function<core::Node(const core::Labels&)> node_of = {};      // that an alert's labels are about
  std::function<int(std::string_view)> severity_rank = {};          // 2 critical, 1 warning, 0 info
  std::vector<lineage::Catalog> catalogs = {};
  /// Takes one event of OpenLineage; empty where none are received. Errors: invalid, limit, unavailable (too many
  /// wait).
  std::function<core::Result<void>(const std::string& body)> receive = {};
  core::Secret token = {};  // that senders must show, unless empty
};

/// Everything the routes need of the rest of Weir, filled in by app/. Its functions are called on the loop and on the
/// workers of `background`.
struct Backend {
  const core::SeriesSource& series;
  const MetricsPage& metrics;
  std::span<const WebAsset> assets;
  std::string version;
  core::Time started_at;
  std::function<core::Time()> now;
  std::function<std::vector<CollectorView>()> collectors;
  std::function<std::vector<core::Alert>()> alerts;        // pending and firing
  std::function<std::vector<core::Incident>()> incidents;  // open ones, and the latest resolved
  /// The incident of that id, the latest without one.
  std::function<core::Result<std::vector<core::Incident>>(std::size_t limit, const std::string& id)> history;
  /// Runs a task on a worker; false when too many wait. Without it everything is answered on the loop.
  std::function<bool(std::function<void()>)> background = {};
  /// The same for what must not wait for queries. Without it `background` is used.
  std::function<bool(std::function<void()>)> brief = {};

  std::function<std::vector<std::string>()> label_names = {};  // of all series, in any order
  std::function<std::vector<std::string>(std::string_view)> label_values = {};
  std::function<RuleGroupViews()> rule_groups = {};
  /// Reads the configuration anew and returns when it is in force, or with what is wrong with it.
  std::function<core::Result<std::string>()> reload = {};  // what it did not apply, for people; empty: all was
  std::function<ReloadStatus()> reload_status = {};
  std::function<std::optional<StorageTrouble>()> storage_trouble = {};  // nothing while all is well
  core::Duration retention{0};                                          // of the samples
  LineageAccess lineage = {};
  Notifications notifications = {};
  IncidentAccess incident_access = {};
};

}  // namespace weir::api

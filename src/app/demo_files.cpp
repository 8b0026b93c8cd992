#include "app/demo_files.h"

#include <fmt/format.h>
#include <fstream>

namespace weir::app {
namespace {

// A user with narrow ACLs names groups and topics like this; the mock cluster cannot list them either.
constexpr const char* kConfig = R"(listen: {listen}
storage: {{path: {folder}/weir.db}}
kafka:
  - name: shop
    brokers: {brokers}
    interval: 2s
    groups:
      names:
        - {{name: fulfilment, topics: [orders]}}
        - {{name: fraud-check, topics: [payments]}}
        - {{name: click-stream, topics: [user.clicks]}}
        - {{name: warehouse-loader, topics: [orders]}}
    topics: {{names: [orders, payments, user.clicks, user.clicks.dlt]}}
    dead_letter: {{topics: ['\.dlt$']}}
    status: {{window: 1m}}
schema_registries:
  - name: shop
    url: {registry}
    interval: 5s
    candidates: [{{subject: OrderPlaced-value, file: {candidate}}}]
sources:
  - {{name: warehouse, type: sqlite, path: {warehouse}}}
checks:
  - {{source: warehouse, files: [{root}/checks/*.yml], interval: 5s}}
rules: {{files: [{root}/rules/*.yml], interval: 5s}}
pipelines:
  - name: orders
    owner: shop-team
    criticality: critical
    description: what customers buy, until it is sent and reported
    sla: {{freshness: 10m, latency: 5m}}
    flow:
      - topic:shop/orders
      - [group:shop/fulfilment, group:shop/warehouse-loader]
    edges:
      - {{from: group:shop/warehouse-loader, to: table:warehouse/fct_orders}}
      - {{from: table:warehouse/fct_orders, to: table:warehouse/fct_daily_revenue}}
      - {{from: table:warehouse/fct_daily_revenue, to: dashboard:revenue}}
  - name: payments
    owner: risk-team
    criticality: high
    flow: [topic:shop/payments, group:shop/fraud-check, topic:shop/orders]
  - name: clicks
    owner: web-team
    criticality: low
    flow: [topic:shop/user.clicks, group:shop/click-stream, topic:shop/user.clicks.dlt]
)";

}  // namespace

std::string demo_config(const DemoPlaces& places) {
  return fmt::format(kConfig, fmt::arg("listen", places.listen), fmt::arg("folder", places.folder.string()),
                     fmt::arg("brokers", places.brokers), fmt::arg("registry", places.registry_url),
                     fmt::arg("candidate", places.candidate().string()),
                     fmt::arg("warehouse", places.warehouse().string()), fmt::arg("root", places.root.string()));
}

std::string demo_order_schema(bool with_default) {
  return fmt::format(R"({{"type":"record","name":"OrderPlaced","fields":[{{"name":"order_id","type":"string"}},)"
                     R"({{"name":"amount","type":"double"}},{{"name":"channel","type":"string"{}}}]}})",
                     with_default ? R"(,"default":"web")" : "");
}

core::Result<void> write_file(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path temporary = path.string() + ".new";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  std::error_code failed;
  if (stream) std::filesystem::rename(temporary, path, failed);
  if (!stream || failed) return core::fail(core::ErrorKind::storage, "cannot write the file", path.string());
  return {};
}

}  // namespace weir::app

#include "collectors/scrape_presets.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace weir::collectors {
namespace {

// The JMX exporter names a bean's attribute domain_type_attribute, with the bean's name as a label: that is made
// domain_type_name_attribute first, see kBeanName. Configurations that are common have it so, without the attribute,
// with _total behind counters, or all in lower case. Where none is told to be a counter, its versions from 1.0 on take
// _total off.
constexpr std::array kBroker = {
    PresetMetric{"kafka_server_replicamanager_underreplicatedpartitions(?:_value)?",
                 "kafka_broker_under_replicated_partitions"},
    PresetMetric{"kafka_server_replicamanager_underminisrpartitioncount(?:_value)?",
                 "kafka_broker_under_min_isr_partitions"},
    PresetMetric{"kafka_server_replicamanager_offlinereplicacount(?:_value)?", "kafka_broker_offline_replicas"},
    PresetMetric{"kafka_server_replicamanager_leadercount(?:_value)?", "kafka_broker_leaders"},
    PresetMetric{"kafka_server_replicamanager_partitioncount(?:_value)?", "kafka_broker_partitions"},
    PresetMetric{"kafka_server_replicamanager_isrshrinks(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_isr_shrinks_total"},
    PresetMetric{"kafka_controller_kafkacontroller_offlinepartitionscount(?:_value)?",
                 "kafka_controller_offline_partitions"},
    PresetMetric{"kafka_controller_kafkacontroller_activecontrollercount(?:_value)?", "kafka_controller_active"},
    PresetMetric{"kafka_server_brokertopicmetrics_messagesin(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_messages_in_total"},
    PresetMetric{"kafka_server_brokertopicmetrics_bytesin(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_bytes_in_total"},
    PresetMetric{"kafka_server_brokertopicmetrics_bytesout(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_bytes_out_total"},
    PresetMetric{"kafka_server_brokertopicmetrics_failedproducerequests(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_failed_produce_requests_total"},
    PresetMetric{"kafka_server_brokertopicmetrics_failedfetchrequests(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_failed_fetch_requests_total"},
    PresetMetric{"kafka_network_requestmetrics_totaltimems", "kafka_broker_request_time_milliseconds"},
    PresetMetric{"kafka_network_requestmetrics_totaltimems_(95|99)thpercentile",
                 "kafka_broker_request_time_milliseconds_p$1"},
    PresetMetric{"kafka_network_requestmetrics_errors(?:persec)?(?:_count)?(?:_total)?",
                 "kafka_broker_request_errors_total"},
    PresetMetric{"kafka_server_kafkarequesthandlerpool_requesthandleravgidle(?:(?:percent)?_oneminuterate|_percent)",
                 "kafka_broker_request_handler_idle_ratio"},
    PresetMetric{"kafka_log_log_size(?:_value)?", "kafka_broker_log_size_bytes"},
    PresetMetric{"kafka_log_logmanager_offlinelogdirectorycount(?:_value)?", "kafka_broker_offline_log_directories"},
};

// kafka_producer_producer_metrics_… of the JMX exporter, kafka_producer_… of Micrometer.
constexpr std::array kClient = {
    PresetMetric{"kafka_producer_(?:producer_metrics_)?(request_rate|response_rate|record_send_rate|record_error_rate|"
                 "record_retry_rate|batch_size_avg|batch_size_max|request_latency_avg|request_latency_max|"
                 "outgoing_byte_rate|record_queue_time_avg|record_queue_time_max|buffer_available_bytes|"
                 "produce_throttle_time_avg)",
                 "kafka_producer_$1"},
    PresetMetric{"kafka_producer_(?:producer_metrics_)?(record_send|record_error|record_retry)(?:_total)?",
                 "kafka_producer_${1}_total"},
    PresetMetric{"kafka_producer_producer_topic_metrics_(record_send_rate|record_error_rate|byte_rate)",
                 "kafka_producer_topic_$1"},
    PresetMetric{"kafka_consumer_(?:consumer_)?fetch_manager_(?:metrics_)?(records_lag_max|records_lag|"
                 "records_consumed_rate|bytes_consumed_rate|fetch_latency_avg|fetch_latency_max|fetch_rate|"
                 "records_per_request_avg)",
                 "kafka_consumer_$1"},
    PresetMetric{"kafka_consumer_(?:consumer_)?coordinator_(?:metrics_)?(rebalance_rate_per_hour|commit_latency_avg|"
                 "commit_latency_max|commit_rate|last_heartbeat_seconds_ago|"
                 "assigned_partitions)",
                 "kafka_consumer_$1"},
    PresetMetric{"kafka_consumer_(?:consumer_)?coordinator_(?:metrics_)?(rebalance|failed_rebalance)(?:_total)?",
                 "kafka_consumer_${1}_total"},
    PresetMetric{"kafka_consumer_(?:consumer_metrics_)?(poll_idle_ratio_avg|time_between_poll_avg|"
                 "time_between_poll_max|last_poll_seconds_ago)",
                 "kafka_consumer_$1"},
};

constexpr std::array kSpring = {
    PresetMetric{"spring_kafka_listener_seconds(_bucket|_sum|_count|_max)?", "consumer_processing_seconds$1"},
    PresetMetric{"spring_kafka_template_seconds(_bucket|_sum|_count|_max)?", "kafka_producer_send_seconds$1"},
};

constexpr std::array kStreams = {
    PresetMetric{"kafka_streams_(?:stream_metrics_)?(alive_stream_threads|failed_stream_threads)", "kafka_streams_$1"},
    PresetMetric{"kafka_stream_(alive_stream_threads|failed_stream_threads)", "kafka_streams_$1"},
    PresetMetric{"kafka_streams?_(?:stream_)?thread_(?:metrics_)?(process_rate|process_latency_avg|process_latency_max|"
                 "commit_latency_avg|commit_latency_max|poll_latency_avg|poll_latency_max|punctuate_latency_avg|"
                 "task_created_rate|task_closed_rate)",
                 "kafka_streams_thread_$1"},
    PresetMetric{"kafka_streams?_(?:stream_)?task_(?:metrics_)?(process_rate|process_latency_avg|process_latency_max|"
                 "dropped_records_rate|record_lateness_avg|record_lateness_max)",
                 "kafka_streams_task_$1"},
    PresetMetric{"kafka_streams?_(?:stream_)?task_(?:metrics_)?dropped_records(?:_total)?",
                 "kafka_streams_task_dropped_records_total"},
};

constexpr std::array kConnect = {
    PresetMetric{
        "kafka_connect_(?:connect_)?worker_(?:metrics_)?(connector_count|task_count|connector_failed_task_count|"
        "connector_running_task_count|connector_paused_task_count|connector_destroyed_task_count)",
        "kafka_connect_worker_$1"},
    PresetMetric{"kafka_connect_(?:connect_)?worker_(?:metrics_)?(connector_startup_failure|task_startup_failure)"
                 "(?:_total)?",
                 "kafka_connect_worker_${1}_total"},
    PresetMetric{"kafka_connect_(?:connect_)?(?:worker_)?rebalance_(?:metrics_)?("
                 "rebalance_avg_time_ms|rebalancing|time_since_last_rebalance_ms)",
                 "kafka_connect_rebalance_$1"},
    PresetMetric{"kafka_connect_(?:connect_)?(?:worker_)?rebalance_(?:metrics_)?completed_rebalances(?:_total)?",
                 "kafka_connect_rebalance_completed_rebalances_total"},
    PresetMetric{"kafka_connect_(?:connect_)?connector_task_(?:metrics_)?(running_ratio|pause_ratio|batch_size_avg|"
                 "offset_commit_failure_percentage|offset_commit_avg_time_ms|offset_commit_max_time_ms)",
                 "kafka_connect_task_$1"},
    PresetMetric{"kafka_connect_(?:connect_)?task_error_(?:metrics_)?(total_record_errors|total_record_failures|"
                 "total_records_skipped|total_retries|deadletterqueue_produce_requests|"
                 "deadletterqueue_produce_failures|last_error_timestamp|total_errors_logged)",
                 "kafka_connect_task_error_$1"},
    PresetMetric{"kafka_connect_(?:connect_)?(sink|source)_task_(?:metrics_)?(sink_record_read_rate|"
                 "sink_record_send_rate|sink_record_lag_max|put_batch_avg_time_ms|put_batch_max_time_ms|"
                 "source_record_poll_rate|source_record_write_rate|poll_batch_avg_time_ms|"
                 "source_record_active_count)",
                 "kafka_connect_${1}_task_$2"},
};

constexpr std::array kDebezium = {
    PresetMetric{"debezium_metrics_milli_?seconds_?behind_?source", "debezium_milliseconds_behind_source"},
    PresetMetric{"debezium_metrics_milli_?seconds_?since_?last_?event", "debezium_milliseconds_since_last_event"},
    PresetMetric{"debezium_metrics_total_?number_?of_?events_?seen", "debezium_events_seen"},
    PresetMetric{"debezium_metrics_number_?of_?erroneous_?events", "debezium_erroneous_events"},
    PresetMetric{"debezium_metrics_number_?of_?events_?filtered", "debezium_filtered_events"},
    PresetMetric{"debezium_metrics_connected", "debezium_connected"},
    PresetMetric{"debezium_metrics_queue_?remaining_?capacity", "debezium_queue_remaining_capacity"},
    PresetMetric{"debezium_metrics_queue_?total_?capacity", "debezium_queue_capacity"},
    PresetMetric{"debezium_metrics_snapshot_?running", "debezium_snapshot_running"},
    PresetMetric{"debezium_metrics_snapshot_?completed", "debezium_snapshot_completed"},
    PresetMetric{"debezium_metrics_snapshot_?aborted", "debezium_snapshot_aborted"},
    PresetMetric{"debezium_metrics_remaining_?table_?count", "debezium_snapshot_remaining_tables"},
};

constexpr std::array kFlink = {
    PresetMetric{"(flink_jobmanager_job_(?:numRestarts|fullRestarts|uptime|downtime|restartingTime|"
                 "lastCheckpointDuration|lastCheckpointSize|numberOfCompletedCheckpoints|numberOfFailedCheckpoints|"
                 "numberOfInProgressCheckpoints|lastCheckpointRestoreTimestamp))",
                 "$1"},
    PresetMetric{"(flink_jobmanager_(?:numRunningJobs|numRegisteredTaskManagers|taskSlotsAvailable|taskSlotsTotal))",
                 "$1"},
    PresetMetric{"(flink_taskmanager_job_task_(?:isBackPressured|backPressuredTimeMsPerSecond|busyTimeMsPerSecond|"
                 "idleTimeMsPerSecond|numRecordsInPerSecond|numRecordsOutPerSecond))",
                 "$1"},
    PresetMetric{"(flink_taskmanager_job_task_operator_(?:currentInputWatermark|pendingRecords|"
                 "KafkaSourceReader_KafkaConsumer_records_lag_max|records_lag_max|numRecordsOutErrors))",
                 "$1"},
};

constexpr std::array kAirflow = {
    PresetMetric{"airflow_(scheduler_heartbeat|scheduler_critical_section_duration|executor_open_slots|"
                 "executor_queued_tasks|executor_running_tasks|dag_processing_import_errors|"
                 "dag_processing_total_parse_time|dagbag_size|sla_missed|sla_callback_notification_failure|ti_failures|"
                 "ti_successes|operator_failures|zombies_killed|pool_open_slots|pool_queued_slots|pool_running_slots|"
                 "pool_starving_tasks|triggers_blocked_main_thread)(_total)?",
                 "airflow_$1$2"},
    PresetMetric{"airflow_(dagrun_duration_success|dagrun_duration_failed|dagrun_schedule_delay|"
                 "dagrun_dependency_check|dag_task_duration|task_duration)(_sum|_count|_bucket)?",
                 "airflow_$1$2"},
};

constexpr std::array kNode = {
    PresetMetric{"(node_filesystem_(?:avail_bytes|free_bytes|size_bytes|readonly|device_error|files|files_free))",
                 "$1"},
};

constexpr std::array kPresets = {
    ScrapePreset{"kafka_broker", "Kafka brokers through the JMX exporter", kBroker},
    ScrapePreset{"kafka_client", "Kafka producers and consumers through the JMX exporter or Micrometer", kClient},
    ScrapePreset{"spring_kafka", "listeners and templates of Spring Kafka through Micrometer", kSpring},
    ScrapePreset{"kafka_streams", "Kafka Streams through the JMX exporter or Micrometer", kStreams},
    ScrapePreset{"kafka_connect", "Kafka Connect workers through the JMX exporter", kConnect},
    ScrapePreset{"debezium", "Debezium connectors through the JMX exporter", kDebezium},
    ScrapePreset{"flink", "Flink's own Prometheus reporter", kFlink},
    ScrapePreset{"airflow", "Airflow through the StatsD exporter", kAirflow},
    ScrapePreset{"node_exporter", "disks of machines through node_exporter", kNode},
};

/// Of the JMX exporter's series: type and attribute, and the bean's name, when a label has that.
constexpr const char* kBeanName =
    "(?i)(kafka_(?:server|network|controller|log)_[a-z]+)_(value|count|oneminuterate|95thpercentile|99thpercentile);(.+"
    ")";
/// Such a name with such a label, once they are joined.
constexpr const char* kJoined =
    "(?i)kafka_(?:server|network|controller|log)_[a-z]+_.+_(?:value|count|oneminuterate|95thpercentile|99thpercentile);"
    ".+";

RelabelRule must(RelabelRule::Parts parts) { return RelabelRule::make(std::move(parts)).value(); }

}  // namespace

std::span<const ScrapePreset> scrape_presets() { return kPresets; }

std::vector<RelabelRule> preset_rules(const std::vector<std::string>& names) {
  std::vector<RelabelRule> renames;
  std::string kept;
  for (const std::string& name : names) {
    const auto preset = std::ranges::find(kPresets, name, &ScrapePreset::name);
    if (preset == kPresets.end()) continue;
    for (const PresetMetric& metric : preset->metrics) {
      kept += fmt::format("{}{}", kept.empty() ? "" : "|", metric.exposed);
      renames.push_back(must({.source_labels = {"__name__"},
                              .regex = fmt::format("(?i){}", metric.exposed),
                              .target_label = "__name__",
                              .replacement = std::string(metric.name)}));
    }
  }
  if (renames.empty()) return {};
  std::vector<RelabelRule> rules;
  if (std::ranges::find(names, "kafka_broker") != names.end()) {
    const std::vector<std::string> bean = {"__name__", "name"};
    rules.push_back(
        must({.source_labels = bean, .regex = kBeanName, .target_label = "__name__", .replacement = "${1}_${3}_$2"}));
    rules.push_back(must({.source_labels = bean, .regex = kJoined, .target_label = "name", .replacement = ""}));
  }
  rules.push_back(must({.source_labels = {"__name__"}, .regex = "(?i)" + kept, .action = RelabelRule::Action::keep}));
  std::ranges::move(renames, std::back_inserter(rules));
  // The JMX exporter writes a bean's key as it is: client-id, clientId.
  rules.push_back(must({.source_labels = {"clientId"}, .regex = "(.+)", .target_label = "client_id"}));
  rules.push_back(must({.regex = "clientId", .action = RelabelRule::Action::labeldrop}));
  return rules;
}

}  // namespace weir::collectors

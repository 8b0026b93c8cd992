#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "app/cli.h"
#include "app/commands.h"
#include "app/settings.h"
#include "config/diagnostics.h"
#include "net/http_client.h"
#include "notify/registry.h"
#include "notify/routing.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

constexpr const char* kMark = "Test of Weir: nothing has happened";

/// A message that nobody can take for a real one.
core::OutboxMessage test_message(const std::string& receiver, const std::string& integration, bool firing,
                                 core::Time now) {
  core::Alert alert;
  alert.group = "weir";
  alert.rule = "WeirTest";
  alert.labels = core::Labels{{"alertname", "WeirTest"}, {"severity", "info"}};
  alert.annotations = core::Labels{{"summary", kMark}, {"description", "Sent by weir notify test."}};
  alert.fingerprint = alert.labels.hash();
  alert.state = firing ? core::AlertState::firing : core::AlertState::inactive;
  alert.active_at = now;
  alert.fired_at = now;
  if (!firing) alert.resolved_at = now;
  core::OutboxMessage message;
  const std::string moment = std::to_string(now.time_since_epoch().count());
  message.idempotency_key = "test-" + std::string(firing ? "firing-" : "resolved-") + moment;
  message.notification = {.receiver = receiver,
                          .status = firing ? "firing" : "resolved",
                          .group_key = "test:" + moment,
                          .group_labels = core::Labels{{"alertname", "WeirTest"}},
                          .incident_id = "",
                          .incident_title = kMark,
                          .cause = "somebody wants to see whether this receiver works",
                          .alerts = {alert},
                          .integration = integration};
  message.created_at = now;
  message.next_attempt_at = now;
  return message;
}

const char* advice(const notify::DeliveryError& failed) {
  switch (failed.error.kind) {
    case core::ErrorKind::denied: return "see whether the credentials and the certificate are right";
    case core::ErrorKind::timeout: return "see whether the address is right and a firewall lets Weir through";
    case core::ErrorKind::unavailable:
      return failed.retry_after ? "it asks for patience; Weir would wait that long and try again"
                                : "see whether the address is right and the service runs";
    case core::ErrorKind::invalid:
      return "it takes no such message; see the address, the credentials and the keys given";
    default: return "see whether something else answers at that address";
  }
}

/// Sends one, and tells how it went.
bool send(notify::Notifier& notifier, const std::string& endpoint, core::OutboxMessage message,
          std::optional<std::string>& reference) {
  message.reference = reference.value_or("");
  const runtime::SystemClock clock;
  const auto result = notifier.deliver(message, {.now = clock.now()});
  const std::string what = endpoint + ", " + message.notification.status + ": ";
  if (result) {
    if (result->reference) reference = result->reference;
    std::cout << what << "delivered" << (result->status == 0 ? "" : " (" + std::to_string(result->status) + ")")
              << "\n";
    if (!result->template_problems.empty())
      std::cout << "  with Weir's own text: " << result->template_problems << "\n";
    return true;
  }
  std::cout << what << "not delivered: " << result.error().error.describe() << "\n  "
            << (result.error().error.retryable ? "Weir would try again. " : "Weir would give it up. ")
            << advice(result.error()) << "\n";
  return false;
}

int test_receiver(const std::string& config_file, const std::string& name) {
  const auto settings = load_part(config_file, Part::receivers);
  if (!settings) {
    std::cerr << settings.error().to_string();
    return kExitUsage;
  }
  const notify::Receiver* receiver = settings->routing.find(name);
  if (receiver == nullptr) {
    std::vector<std::string> names;
    for (const notify::Receiver& known : settings->routing.receivers) names.push_back(known.name);
    std::cerr << "weir: no receiver is named \"" << name << "\"" << config::did_you_mean(name, names) << "\n";
    return kExitUsage;
  }
  if (receiver->integrations.empty()) {
    std::cerr << "weir: receiver \"" << name << "\" tells nobody; give it webhook_configs or another kind\n";
    return kExitFailed;
  }
  const auto http = net::make_curl_client();
  const runtime::SystemClock clock;
  const core::Time now = clock.now();
  bool all = true;
  for (const notify::Integration& integration : receiver->integrations) {
    const std::string endpoint = notify::endpoint_name(name, integration.id);
    const auto notifier = notify::make_notifier(integration, {*http, settings->external_url});
    std::optional<std::string> reference;
    const bool heard = send(*notifier, endpoint, test_message(name, integration.id, true, now), reference);
    all = all && heard;
    // So that nothing stays open where incidents are made of messages.
    if (heard && integration.send_resolved)
      all = send(*notifier, endpoint, test_message(name, integration.id, false, now), reference) && all;
  }
  return all ? kExitOk : kExitFailed;
}

}  // namespace

void add_notify_command(CLI::App& cli, Action& action) {
  CLI::App* notify = cli.add_subcommand("notify", "whether people can be told");
  notify->require_subcommand(1);
  CLI::App* test = notify->add_subcommand("test", "send a marked notification to each integration of a receiver");
  const auto config = std::make_shared<std::string>("weir.yml");
  const auto receiver = std::make_shared<std::string>();
  test->add_option("receiver", *receiver, "its name in the configuration")->required();
  test->add_option("--config,-c", *config, "configuration file")->capture_default_str();
  test->callback(
      [&action, config, receiver] { action = [config, receiver] { return test_receiver(*config, *receiver); }; });
}

}  // namespace weir::app

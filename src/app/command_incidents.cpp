#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "app/cli.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "app/prometheus_client.h"
#include "app/settings.h"
#include "core/time.h"
#include "core/utf8.h"
#include "net/http_client.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

using nlohmann::json;
using Parameters = PrometheusClient::Parameters;

constexpr const char* kDefaultUrl = "http://127.0.0.1:9877";
constexpr const char* kPath = "/api/v1/incidents";
constexpr core::Duration kTimeout = std::chrono::minutes(1);
constexpr std::size_t kMostBytes = 256U << 20U;

struct IncidentOptions {
  std::string url = kDefaultUrl;
  std::string config;
  bool json = false;
  std::string by;
  std::string id;
  std::string text;     // what is said, given or named
  std::string comment;  // of a silence
  std::string output;
  bool force = false;
  std::string state = "open";
  std::string query;
  std::string owner;
  std::string severity;
  std::string label;
  std::string from;
  std::string to;
  std::string before;
  std::size_t limit = 50;
};
using Options = std::shared_ptr<IncidentOptions>;

/// Of a terminal, which shows no control characters and keeps its columns.
std::string shown(const std::string& text, std::size_t most = 1000) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (out.size() <= most) return out;
  return std::string(core::utf8_prefix(out, most)) + "…";
}

std::string text_of(const json& object, const char* key) {
  const json value = object.value(key, json());
  return value.is_string() ? shown(value.get<std::string>()) : std::string();
}

std::string time_of(const json& object, const char* key) {
  const json value = object.value(key, json());
  if (!value.is_number()) return "-";
  const core::Time time = std::chrono::floor<std::chrono::seconds>(core::time_from_seconds(value.get<double>()));
  std::string text = core::format_rfc3339(time);
  return text.substr(0, 19) + "Z";
}

std::string span_of(const json& object, const char* key) {
  const json value = object.value(key, json());
  if (!value.is_number()) return "-";
  return core::format_duration(std::chrono::seconds(static_cast<std::int64_t>(value.get<double>())));
}

int fail(const std::string& message, int code = kExitFailed) {
  std::cerr << "weir incidents: " << message << "\n";
  return code;
}

/// The address of the configuration's Weir; one that listens everywhere is asked on this machine.
core::Result<std::string> url_of(const IncidentOptions& options) {
  std::string url = options.url;
  if (!options.config.empty()) {
    const auto settings = load_part(options.config, Part::listen);
    if (!settings) {
      std::string mistakes = settings.error().to_string();
      while (mistakes.ends_with('\n')) mistakes.pop_back();
      return core::fail(core::ErrorKind::invalid, std::move(mistakes));
    }
    const std::string& listen = settings->listen;
    url = "http://" + listen;
    for (const char* any : {"0.0.0.0:", "[::]:"}) {
      if (listen.starts_with(any)) url = "http://127.0.0.1:" + listen.substr(std::string(any).size());
    }
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// One exchange; the body of a success. A refusal has the server's own words.
core::Result<std::string> ask(const IncidentOptions& options, const std::string& method, const std::string& path,
                              const std::string& body = {}) {
  net::HttpRequest request;
  request.method = method;
  request.url = options.url + path;
  request.timeout = kTimeout;
  request.max_response_bytes = kMostBytes;
  if (method == "POST") {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
  }
  const auto http = net::make_curl_client();
  auto response = http->send(request);
  if (!response) {
    core::Error error = response.error();
    if (error.kind == core::ErrorKind::unavailable) error.message += "; does Weir run there? (--url)";
    return std::unexpected(std::move(error));
  }
  if (response->status == 200) return std::move(response->body);
  const json answer = json::parse(response->body, nullptr, false);
  const bool says = answer.is_object() && answer.value("error", json()).is_string();
  const auto kind = response->status < 500 ? core::ErrorKind::invalid : core::ErrorKind::unavailable;
  if (!says) return core::fail(kind, fmt::format("{} answers {}: is this Weir?", options.url, response->status));
  std::string error = answer["error"].get<std::string>();
  if (response->status == 404) error += "; weir incidents list --state all has their ids";
  return core::fail(kind, std::move(error));
}

std::string path_of(const std::string& id, std::string_view deed = {}) {
  std::string escaped = encode_parameters({{"", id}}).substr(1);
  return std::string(kPath) + "/" + escaped + (deed.empty() ? "" : "/" + std::string(deed));
}

/// The whole id of an incident that is named by its beginning, as Git names commits: one of the newest.
core::Result<std::string> whole_id(const IncidentOptions& options, const std::string& id) {
  constexpr std::size_t kWhole = 16;
  constexpr std::size_t kLeast = 4;
  if (id.empty()) return core::fail(core::ErrorKind::invalid, "which incident? give its ID, see weir incidents list");
  const bool hex = std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (!hex || id.size() < kLeast || id.size() >= kWhole) return id;
  const auto body = ask(options, "GET", std::string(kPath) + "?state=all&limit=1000");
  if (!body) return std::unexpected(body.error());
  const json answer = json::parse(*body, nullptr, false);
  std::vector<std::string> found;
  if (answer.is_object() && answer.contains("incidents") && answer["incidents"].is_array()) {
    for (const json& incident : answer["incidents"]) {
      if (incident.is_object() && text_of(incident, "id").starts_with(id)) found.push_back(text_of(incident, "id"));
    }
  }
  if (found.empty()) return id;
  if (found.size() == 1) return found.front();
  return core::fail(core::ErrorKind::invalid,
                    fmt::format("\"{}\" is the beginning of {} incidents' ids, {} and {} among "
                                "them: give more of it",
                                id, found.size(), found[0], found[1]));
}

void print_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i)
    std::cout << (i + 1 == cells.size() ? cells[i] : fmt::format("{:<{}}  ", cells[i], widths[i]));
  std::cout << "\n";
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) print_row(row, widths);
}

std::string state_of(const json& incident) {
  if (!text_of(incident, "merged_into").empty()) return "merged";
  if (incident.value("open", false)) return incident.value("acknowledged_at", json()).is_null() ? "open" : "acked";
  return "resolved";
}

/// "24h" and "24h ago" are that long ago; anything else is as it is.
std::string moment_of(const std::string& text) {
  constexpr std::string_view kAgo = " ago";
  const auto ago = core::parse_duration(text.ends_with(kAgo) ? text.substr(0, text.size() - kAgo.size()) : text);
  if (!ago) return text;
  return fmt::format("{:.3f}", core::to_seconds((runtime::SystemClock().now() - *ago).time_since_epoch()));
}

/// How long it lasted, or has by now.
std::string lasting_of(const json& incident) {
  const json opened = incident.value("opened_at", json());
  if (!incident.value("open", false) || !opened.is_number()) return span_of(incident, "time_to_resolve_seconds");
  const double seconds = core::to_seconds(runtime::SystemClock().now().time_since_epoch()) - opened.get<double>();
  return core::format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::max(0.0, seconds))));
}

int list(const IncidentOptions& options) {
  Parameters parameters{{"state", options.state}, {"limit", std::to_string(options.limit)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  add("q", options.query);
  add("owner", options.owner);
  add("severity", options.severity);
  add("label", options.label);
  add("from", moment_of(options.from));
  add("to", moment_of(options.to));
  add("before", options.before);
  const auto body = ask(options, "GET", std::string(kPath) + "?" + encode_parameters(parameters));
  if (!body) return fail(body.error().describe());
  if (options.json) {
    std::cout << *body << "\n";
    return kExitOk;
  }
  const json answer = json::parse(*body, nullptr, false);
  if (!answer.is_object() || !answer.value("incidents", json()).is_array()) return fail("the answer has no incidents");
  if (const std::string away = text_of(answer, "history_away"); !away.empty())
    std::cerr << "weir incidents: history is away, these are the incidents in memory: " << away << "\n";
  if (answer["incidents"].empty()) {
    std::cout << "no incidents\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "SEVERITY", "STATE", "OWNER", "OPENED", "LASTED", "TITLE"}};
  for (const json& incident : answer["incidents"]) {
    const std::string owner = text_of(incident, "owner");
    rows.push_back({text_of(incident, "id"), text_of(incident, "severity"), state_of(incident),
                    owner.empty() ? "-" : shown(owner, 20), time_of(incident, "opened_at"), lasting_of(incident),
                    shown(text_of(incident, "title"), 100)});
  }
  print_table(rows);
  if (answer.value("next", json()).is_string())
    std::cout << "more: --before " << shown(answer["next"].get<std::string>()) << "\n";
  return kExitOk;
}

void print_incident(const json& incident) {
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty() && value != "-") std::cout << fmt::format("{:<14}{}\n", name, value);
  };
  std::cout << text_of(incident, "title") << "\n";
  line("id", text_of(incident, "id"));
  line("state", state_of(incident));
  line("severity", text_of(incident, "severity"));
  line("owner", text_of(incident, "owner"));
  line("merged into", text_of(incident, "merged_into"));
  line("began", time_of(incident, "began_at"));
  const auto timed = [&](const char* name, const char* at, const char* took) {
    const std::string time = time_of(incident, at);
    const std::string span = span_of(incident, took);
    if (time != "-") line(name, time + (span == "-" ? "" : " (after " + span + ")"));
  };
  timed("detected", "opened_at", "time_to_detect_seconds");
  timed("acknowledged", "acknowledged_at", "time_to_acknowledge_seconds");
  timed("resolved", "resolved_at", "time_to_resolve_seconds");
  line("likely cause", text_of(incident, "cause"));
  const json reasons = incident.value("reasons", json::object());
  for (const json& each : reasons.value("evidence", json::array())) {
    if (each.is_string()) line("", "- " + shown(each.get<std::string>()));
  }
  std::cout << "\n";
  for (const json& entry : incident.value("timeline", json::array()))
    std::cout << fmt::format("{}  {:<12}  {}\n", time_of(entry, "at"), text_of(entry, "kind"), text_of(entry, "text"));
}

/// What the server answers about one incident.
int print_answer(const IncidentOptions& options, const core::Result<std::string>& body,
                 void (*print)(const json& incident) = print_incident) {
  if (!body) return fail(body.error().describe());
  const json incident = json::parse(*body, nullptr, false);
  if (!incident.is_object()) return fail("the answer is no incident");
  if (options.json) {
    std::cout << *body << "\n";
  } else {
    print(incident);
  }
  return kExitOk;
}

int show(const IncidentOptions& options) {
  const auto id = whole_id(options, options.id);
  if (!id) return fail(id.error().describe());
  return print_answer(options, ask(options, "GET", path_of(*id)));
}

int postmortem(const IncidentOptions& options) {
  const auto id = whole_id(options, options.id);
  if (!id) return fail(id.error().describe());
  if (auto free = may_be_written(options.output, options.force); !free)
    return fail(free.error().describe(), kExitUsage);
  const auto body = ask(options, "GET", path_of(*id, "postmortem"));
  if (!body) return fail(body.error().describe());
  if (options.output.empty()) {
    std::cout << *body;
    return kExitOk;
  }
  if (auto written = write_output(options.output, *body, options.force); !written)
    return fail(written.error().describe(), kExitUsage);
  std::cout << "written to " << options.output << "\n";
  return kExitOk;
}

/// What was done, as the timeline's newest entry says, and how the incident is then; `show` has the rest.
void print_deed(const json& incident) {
  const json timeline = incident.value("timeline", json::array());
  if (!timeline.empty()) std::cout << text_of(timeline.back(), "text") << "\n";
  std::cout << text_of(incident, "id") << " is " << state_of(incident) << ": " << text_of(incident, "title") << "\n";
}

/// Who runs this: the system's name of the user, "uid 1000" where it has none, as in many a container.
std::string user_name() {
  constexpr std::size_t kMostOfEntry = 1U << 16U;
  if (const char* user = std::getenv("USER"); user != nullptr && *user != '\0') return user;
  const uid_t id = ::getuid();
  std::vector<char> space(kMostOfEntry);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(id, &entry, space.data(), space.size(), &found) == 0 && found != nullptr && *found->pw_name != '\0')
    return found->pw_name;
  return fmt::format("uid {}", id);
}

int carry_out(const IncidentOptions& options, const std::string& deed, const std::string& key) {
  json body = {{"by", options.by}};
  if (!key.empty()) body[key] = options.text;
  if (deed == "silence") body["comment"] = options.comment;
  if (options.by.empty()) return fail("who does this? give --by NAME, or set WEIR_USER", kExitUsage);
  const auto id = whole_id(options, options.id);
  if (!id) return fail(id.error().describe());
  if (deed == "merge") {
    const auto into = whole_id(options, options.text);
    if (!into) return fail(into.error().describe());
    body[key] = *into;
  }
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto body_of_answer = ask(options, "POST", path_of(*id, deed), text);
  return print_answer(options, body_of_answer, print_deed);
}

void add_common(CLI::App& command, const Options& options) {
  CLI::Option* url = command.add_option("--url", options->url, "of the running Weir")->capture_default_str();
  command.add_option("--config,-c", options->config, "ask the Weir that listens as this configuration says")
      ->excludes(url);
  command.add_flag("--json", options->json, "print the server's answer");
}

/// Does `work` once it is known which Weir is asked.
Action asking(const Options& options, const std::function<int(const IncidentOptions&)>& work) {
  return [options, work] {
    auto url = url_of(*options);
    if (!url) return fail(url.error().message, kExitUsage);
    options->url = std::move(*url);
    return work(*options);
  };
}

/// A command that does something about one incident; `key` is what its text is called in the request.
struct DeedCommand {
  const char* name;
  const char* deed;
  const char* help;
  const char* argument;  // nullptr: the text is the option --reason, or there is none
  const char* key;
};
constexpr DeedCommand kDeeds[] = {
    {"ack", "acknowledge", "say that you work on it: its notifications are not repeated", nullptr, ""},
    {"assign", "assign", "give it an owner, \"\" for nobody", "WHO", "owner"},
    {"comment", "comment", "write into its timeline", "TEXT", "text"},
    {"resolve", "resolve", "end it, also while its alerts fire", nullptr, "reason"},
    {"reopen", "reopen", "take it up again", nullptr, "reason"},
    {"merge", "merge", "move its alerts and timeline into another incident", "INTO", "into"},
    {"silence", "silence", "tell nobody of the alerts it has now for a while, such as 2h", "DURATION", "duration"},
};

void add_deed(CLI::App& incidents, Action& action, const Options& options, const DeedCommand& row) {
  CLI::App* command = incidents.add_subcommand(row.name, row.help);
  command->add_option("ID", options->id, "of the incident, or how it begins")->required();
  const std::string key = row.key;
  if (row.argument != nullptr) {
    command->add_option(row.argument, options->text)->required();
  } else if (!key.empty()) {
    command->add_option("--" + key, options->text, "why");
  }
  const std::string deed = row.deed;
  if (deed == "silence") command->add_option("--comment", options->comment, "why");
  const CLI::Option* by =
      command->add_option("--by", options->by, "who does this (default: the user's name)")->envname("WEIR_USER");
  add_common(*command, options);
  command->callback([&action, options, deed, key, by] {
    if (!by->count()) options->by = user_name();
    action = asking(options, [deed, key](const auto& given) { return carry_out(given, deed, key); });
  });
}

void add_list(CLI::App& incidents, Action& action, const Options& options) {
  CLI::App* command = incidents.add_subcommand("list", "open incidents, newest first; with --state the history");
  command->add_option("--state", options->state, "open, resolved or all")
      ->check(CLI::IsMember({"open", "resolved", "all"}))
      ->capture_default_str();
  command->add_option("--search,-q", options->query, "words in title, cause, labels, alerts' names and comments");
  command->add_option("--owner", options->owner);
  command->add_option("--severity", options->severity, "critical, warning or info")
      ->check(CLI::IsMember({"critical", "warning", "info"}));
  command->add_option("--label", options->label, "NAME=VALUE");
  command->add_option("--from", options->from, "not over before: such as 24h ago, RFC 3339, or seconds since 1970");
  command->add_option("--to", options->to, "opened by then");
  command->add_option("--limit", options->limit)->check(CLI::Range(1, 10'000))->capture_default_str();
  command->add_option("--before", options->before, "the next page, as the last one says");
  add_common(*command, options);
  command->callback([&action, options] { action = asking(options, list); });
}

}  // namespace

void add_incidents_command(CLI::App& cli, Action& action) {
  CLI::App* incidents = cli.add_subcommand("incidents", "see and work on the incidents of a running Weir");
  incidents->require_subcommand(1);
  const auto options = std::make_shared<IncidentOptions>();
  add_list(*incidents, action, options);
  CLI::App* one = incidents->add_subcommand("show", "one incident, with its cause and timeline");
  one->add_option("ID", options->id, "of the incident, or how it begins")->required();
  add_common(*one, options);
  one->callback([&action, options] { action = asking(options, show); });
  for (const DeedCommand& row : kDeeds) add_deed(*incidents, action, options, row);
  CLI::App* report = incidents->add_subcommand("postmortem", "its report in Markdown, to be filled in");
  report->add_option("ID", options->id, "of the incident, or how it begins")->required();
  report->add_option("--output,-o", options->output, "file to write (default: standard output)");
  report->add_flag("--force", options->force, "write over a file that is there");
  add_common(*report, options);
  report->callback([&action, options] { action = asking(options, postmortem); });
}

}  // namespace weir::app

#include <gtest/gtest.h>

#include "http_json_fixture.h"

namespace weir::collectors {
namespace {

class HttpJsonSettingsTest : public HttpJsonTest {};

TEST_F(HttpJsonSettingsTest, APresetKnowsHowOftenItsServiceMayBeAsked) {
  const auto parse = [&](const std::string& more) {
    return parse_http_json(
        config::parse_yaml("{name: x, url: 'http://x', preset: snowflake, variables: {warehouse: W}" + more + "}",
                           "weir.yml", diagnostics_),
        diagnostics_);
  };
  EXPECT_EQ(parse("").interval, 30min);
  EXPECT_EQ(parse("").endpoint.request_timeout, 45s);
  EXPECT_EQ(parse(", interval: 2m, request_timeout: 20s").interval, 2min);
  EXPECT_EQ(parse(", interval: 2m, request_timeout: 20s").endpoint.request_timeout, 20s);
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  parse_http_json(config::parse_yaml("{name: x, url: 'http://x', preset: snowflake}", "weir.yml", diagnostics_),
                  diagnostics_);
  EXPECT_NE(diagnostics_.to_string().find("snowflake needs variables: {warehouse: …}"), std::string::npos);
}

TEST_F(HttpJsonSettingsTest, MistakesInTextsEdgesAndKeysAreNamed) {
  const config::Node node = config::parse_yaml(R"(
name: svc
url: http://service:8083
jwt: {private_key_file: /nowhere/key.pem, lifetime: 2h}
google_service_account: {file: /nowhere/account.json}
requests:
  - path: /a
    optional: [200]
    let: {"1": x, a: {value: /x, match: "("}, b: [c], c: {value: /x, match: x, to: '\9'}, d: "/a/*"}
    split: {name: x, value: a}
    errors: [x]
    edges: [{from: {kind: table}, to: {name: x}}, {from: {kind: a, name: b}}]
    metrics: [{name: m, changes: {from: [a]}}]
  - {path: /b, runs: {system: x, pipeline: /p, state: {value: /s, map: {A: fine}}, when: /x}}
)",
                                               "weir.yml", diagnostics_);
  parse_http_json(node, diagnostics_);
  const std::string text = diagnostics_.to_string();
  for (const char* words :
       {"/nowhere/key.pem", "from 1m to 1h", "\"issuer\" is missing", "/nowhere/account.json", "\"scopes\" is missing",
        "give one of oauth2, google_service_account", "a list of statuses from 400 on", "\"1\" is no label's name",
        "no regular expression", "write a text, or {value", "a * is for \"items\" alone", "\"x\" is no JSON Pointer",
        "\"name\" is missing", "\"kind\" is missing", "\"to\" is missing", "write {from: [values], to: [values]}",
        "\"fine\" is none of", "key \"id\" is missing", "unknown key \"when\""}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

TEST_F(HttpJsonSettingsTest, ANameThatNothingGivesIsAMistakeAtItsPlace) {
  const config::Node node = config::parse_yaml(R"(
name: svc
url: http://service:8083
labels: {cluster: prod}
variables: {workspace: main}
requests:
  - path: "/{workspace}/jobs?since={unix-1d}&x={worksapce}"
    body: '{ jobs { name } }'
    items: /jobs/*
    labels: {job: /name, team: {value: /t, or: "{onwer}", of: team}}
    let: {owner: "{/owner|team}"}
    where: {"{ownr}": x}
    remember: {name: teams, key: /a, value: /b}
    metrics: [{name: a, value: "{owner}", labels: {x: "{jbo}"}}]
    events: [{kind: k, value: /s, to: [A], message: "Job {job|team} of {clustre}: {trace /error} {/x} {now}"}]
    edges: [{from: {kind: topic, place: "{cluster}", name: "{topik}"}, to: {kind: table, place: w, name: "{/t}"}}]
    each:
      - {path: "/{job}/{jbo}", metrics: [{name: b, value: /rows}]}
  - {path: /b, runs: {system: x, pipeline: /p, state: {value: /s}, id: /i, message: "{pipelin} {pipeline}"}}
)",
                                               "weir.yml", diagnostics_);
  parse_http_json(node, diagnostics_);
  EXPECT_EQ(
      diagnostics_.to_string(),
      "weir.yml:7:11: http_json \"svc\": nothing gives {worksapce}: no label, \"let\" or variable has this name (did "
      "you mean \"workspace\"?)\n"
      "weir.yml:10:48: http_json \"svc\": nothing gives {onwer}: no label, \"let\" or variable has this name (did you "
      "mean \"owner\"?)\n"
      "weir.yml:10:63: http_json \"svc\": no request has remember: {name: team} (did you mean \"teams\"?)\n"
      "weir.yml:12:13: http_json \"svc\": nothing gives {ownr}: no label, \"let\" or variable has this name (did you "
      "mean \"owner\"?)\n"
      "weir.yml:14:55: http_json \"svc\": nothing gives {jbo}: no label, \"let\" or variable has this name (did you "
      "mean \"job\"?)\n"
      "weir.yml:15:53: http_json \"svc\": nothing gives {clustre}: no label, \"let\" or variable has this name (did "
      "you mean \"cluster\"?)\n"
      "weir.yml:16:60: http_json \"svc\": nothing gives {topik}: no label, \"let\" or variable has this name\n"
      "weir.yml:18:16: http_json \"svc\": nothing gives {jbo}: no label, \"let\" or variable has this name (did you "
      "mean \"job\"?)\n"
      "weir.yml:19:85: http_json \"svc\": nothing gives {pipelin}: no label, \"let\" or variable has this name (did "
      "you mean \"pipeline\"?)\n");
}

TEST_F(HttpJsonSettingsTest, EventsAloneAreEnough) {
  parse_http_json(
      config::parse_yaml("{name: x, url: 'http://x', requests: [{path: /a, events: [{kind: k, value: /s, to: "
                         "[A], message: m}]}]}",
                         "weir.yml", diagnostics_),
      diagnostics_);
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
}

TEST_F(HttpJsonSettingsTest, EveryMistakeOfAnEntryIsNamed) {
  const config::Node node = config::parse_yaml(R"(
name: svc
url: service:8083
interval: 1ms
preset: kafka_conect
labels: {"a-b": c}
oauth2: {token_url: login, client_id: x}
basic_auth: {username: u, password: p}
requests:
  - {path: jobs, items: x, metrics: [{name: "1x", value: "/a/*", unit: years, map: {A: b}}, {name: s, map: {A: 1}, states: [c]}], where: [1]}
  - {path: /x}
  - {path: /y, pages: {size: 10}, metrics: [{name: a, valeu: /x}], events: [{kind: k}]}
)",
                                               "weir.yml", diagnostics_);
  parse_http_json(node, diagnostics_);
  const std::string text = diagnostics_.to_string();
  for (const char* words : {"write http://",
                            "at least 1s",
                            "did you mean \"kafka_connect\"",
                            "\"a-b\" is no label",
                            "\"token_url\"",
                            "client_secret",
                            "give one of oauth2",
                            "\"path\": begins with /",
                            "\"x\" is no JSON Pointer",
                            "no metric's name",
                            "a * is for \"items\" alone",
                            "years",
                            "\"b\" is no number",
                            "either map or states",
                            "write {/pointer: [values]}",
                            "has no metrics",
                            "\"parameter\" is missing",
                            "unknown key \"valeu\"",
                            "\"to\" is missing",
                            "\"message\" is missing"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

}  // namespace
}  // namespace weir::collectors

#include "templates/template.h"

#include <gmock/gmock.h>
#include <string>

#include "templates/template_functions.h"

namespace weir::templates {
namespace {

using testing::HasSubstr;

std::string place_of_error(const std::string& text) {
  const auto parsed = Template::parse(text);
  return parsed ? "parsed" : parsed.error().where + " " + parsed.error().message;
}

std::string expand(const std::string& text, double value = 1, const core::Labels& labels = {}) {
  const auto parsed = Template::parse(text);
  if (!parsed) return "parse error: " + parsed.error().message;
  const auto expanded = parsed->expand({labels, value});
  return expanded ? *expanded : "error: " + expanded.error().message;
}

TEST(Template, MistakesHaveTheirPlace) {
  EXPECT_EQ(place_of_error("a {{ $labels.x"), "1:3 unclosed action: \"}}\" is missing");
  EXPECT_THAT(place_of_error("{{ $label.x }}"),
              HasSubstr("1:4 undefined variable \"$label\" (did you mean \"$labels\"?)"));
  EXPECT_THAT(place_of_error("a\n{{ $value | humanise }}"),
              HasSubstr("2:13 function \"humanise\" is not defined (did you mean \"humanize\"?)"));
  EXPECT_THAT(place_of_error("{{ }}"), HasSubstr("1:4 missing value"));
  EXPECT_THAT(place_of_error("{{ 1 | }}"), HasSubstr("1:8 a value is missing"));
  EXPECT_THAT(place_of_error("{{ if true }}x"), HasSubstr("1:1 \"if\" has no {{ end }}"));
  EXPECT_THAT(place_of_error("{{ end }}"), HasSubstr("1:4 \"end\" without"));
  EXPECT_THAT(place_of_error("{{ else }}"), HasSubstr("1:4 \"else\" without"));
  EXPECT_THAT(place_of_error("{{ if true }}{{ else }}{{ else }}{{ end }}"), HasSubstr("a second else"));
  EXPECT_THAT(place_of_error("{{ 1 2 }}"), HasSubstr("1:4 only a function"));
  EXPECT_THAT(place_of_error("{{ \"a }}"), HasSubstr("1:4 a quoted string does not end"));
  EXPECT_THAT(place_of_error("{{ \"a\\q\" }}"), HasSubstr("unknown escape"));
  EXPECT_THAT(place_of_error("{{ (print 1 }}"), HasSubstr("unclosed \"(\""));
  EXPECT_THAT(place_of_error("{{ $labels..x }}"), HasSubstr("unexpected \".\""));
  EXPECT_THAT(place_of_error("{{/* c }}"), HasSubstr("unclosed comment"));
  EXPECT_THAT(place_of_error("{{ # }}"), HasSubstr("unexpected \"#\""));
  EXPECT_THAT(place_of_error("{{ range $labels }}"), HasSubstr("1:1 \"range\" has no {{ end }}"));
  EXPECT_THAT(place_of_error("{{ range $i, := $labels }}{{ end }}"), HasSubstr("a variable is missing after \",\""));
  EXPECT_THAT(place_of_error("{{ range $i, $e $labels }}{{ end }}"), HasSubstr("\":=\" is missing"));
  EXPECT_THAT(place_of_error("{{ range $labels }}{{ else if true }}{{ end }}"), HasSubstr("in else"));
  EXPECT_THAT(place_of_error("{{ range $e := $labels }}{{ end }}{{ $e }}"), HasSubstr("undefined variable \"$e\""));
  EXPECT_THAT(place_of_error("{{ break }}"), HasSubstr("1:4 \"break\" outside of a range"));
  EXPECT_THAT(place_of_error("{{ if true }}{{ define \"a\" }}{{ end }}{{ end }}"), HasSubstr("must not stand inside"));
  EXPECT_THAT(place_of_error("{{ define \"a\" }}"), HasSubstr("1:1 the definition of \"a\" has no {{ end }}"));
  EXPECT_THAT(place_of_error("{{ define \"a\" }}{{ $value }}{{ end }}"), HasSubstr("undefined variable \"$value\""));
  EXPECT_THAT(place_of_error("{{ template a }}"), HasSubstr("1:13 \"template\" needs a name"));
  EXPECT_THAT(place_of_error("{{ querry \"up\" }}"), HasSubstr("1:4 function \"querry\" is not defined (did you mean"));
  EXPECT_THAT(place_of_error("{{ tmpl \"a\" . }}"), HasSubstr("function \"tmpl\" is not defined"));
  EXPECT_THAT(place_of_error("{{ if true }}{{ $z := 1 }}{{ end }}{{ $z }}"), HasSubstr("undefined variable \"$z\""));
  EXPECT_THAT(place_of_error("{{ 12x }}"), HasSubstr("\"12x\" is not a number"));
}

TEST(Template, NestingIsBounded) {
  std::string open;
  for (int i = 0; i < 5000; ++i) open += "{{ if true }}";
  EXPECT_THAT(place_of_error(open), HasSubstr("nested deeper"));
  EXPECT_THAT(place_of_error("{{ " + std::string(5000, '(') + " 1 }}"), HasSubstr("nested deeper"));
  std::string chain = "{{ if false }}";
  for (int i = 0; i < 5000; ++i) chain += "{{ else if false }}";
  EXPECT_THAT(place_of_error(chain), HasSubstr("nested deeper"));
}

TEST(Template, TheResultIsBounded) {
  const std::string big(Template::kMaxOutput - 1, 'x');
  EXPECT_EQ(expand(big + "y").size(), Template::kMaxOutput);
  EXPECT_THAT(expand(big + "yz"), HasSubstr("error: the text is longer"));
  EXPECT_EQ(expand("{{ printf \"%999999999d\" 1 }}").size(), 1000U);
}

TEST(Template, AnyTextEitherParsesOrFails) {
  // Cuts of a text with everything in it: none may crash, hang or read past the end.
  const std::string all =
      "a {{- $x := printf \"%s\\u00e9\" $labels.a | toUpper -}} b {{ if and (gt $value 1e3) `r` }}{{ .Value }}{{ else "
      "}}"
      "{{/* c */}}{{ with .Labels }}{{ . }}{{ end }}{{ end }}";
  for (std::size_t from = 0; from < all.size(); ++from) {
    for (std::size_t size = 0; from + size <= all.size(); ++size)
      EXPECT_LT(expand(all.substr(from, size)).size(), 2 * all.size());
  }
  for (int c = 0; c < 256; ++c) EXPECT_NE(expand(std::string("{{ ") + static_cast<char>(c) + " }}"), "");
}

/// With a source that has three samples, whatever is asked.
std::string ask(const std::string& text, int* asked = nullptr) {
  const auto parsed = Template::parse(text);
  if (!parsed) return "parse error: " + parsed.error().message;
  TemplateData data;
  data.external_url = "https://weir.example:8443/observe?x=1";
  data.now = core::time_from_seconds(1'700'000'000);
  data.query = [&](const std::string& expression) -> core::Result<std::vector<TemplateSample>> {
    if (asked != nullptr) ++*asked;
    if (expression == "bad(") return core::fail(core::ErrorKind::invalid, "unclosed");
    if (expression == "nothing") return std::vector<TemplateSample>{};
    return std::vector<TemplateSample>{{{{"n", "c"}}, 3}, {{{"n", "a"}}, 1}, {{{"n", "b"}, {"__value__", "v"}}, 2}};
  };
  const auto expanded = parsed->expand(data);
  return expanded ? *expanded : "error: " + expanded.error().message;
}

TEST(Template, QueriesAndGoesOverTheResult) {
  EXPECT_EQ(ask("{{ query `m` | first | value }} {{ query `m` | first | label `n` }}"), "3 c");
  EXPECT_EQ(ask("{{ range query `m` | sortByLabel `n` }}{{ .Labels.n }}={{ .Value }} {{ strvalue . }};{{ end }}"),
            "a=1 ;b=2 v;c=3 ;");
  EXPECT_EQ(ask("{{ range $i, $s := query `m` }}{{ $i }}{{ $s.Labels.n }} {{ else }}none{{ end }}"), "0c 1a 2b ");
  EXPECT_EQ(ask("{{ range query `nothing` }}x{{ else }}none{{ end }}{{ with query `nothing` }}x{{ end }}"), "none");
  EXPECT_EQ(ask("{{ range query `m` }}{{ if eq .Value 1.0 }}{{ continue }}{{ end }}{{ .Value }}{{ break }}{{ end }}"),
            "3");
  EXPECT_EQ(ask("{{ len (query `m`) }} {{ (index (query `m`) 1).Labels.n }} {{ len (slice (query `m`) 1) }}"), "3 a 2");
  EXPECT_EQ(ask("{{ $sum := 0.0 }}{{ range $s := query `m` }}{{ $sum = $s.Value }}{{ end }}{{ $sum }}"), "2");
  EXPECT_EQ(ask("{{ first (query `nothing`) }}"),
            "error: error calling first: first() called on vector with no elements");
  EXPECT_EQ(ask("{{ query `bad(` }}"), "error: error calling query: unclosed");
  EXPECT_THAT(ask("{{ value 1 }}"), HasSubstr("expected *template.sample; got int"));
  EXPECT_THAT(expand("{{ query `m` }}"), HasSubstr("nothing to query"));
}

TEST(Template, KnowsLinksTimesAndWhatSurroundsIt) {
  EXPECT_EQ(ask("{{ externalURL }} {{ pathPrefix }}"), "https://weir.example:8443/observe?x=1 /observe");
  EXPECT_EQ(ask("{{ graphLink `up == 0` }} {{ tableLink `a+b` }}"),
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=a%2Bb&g0.tab=1");
  EXPECT_EQ(ask("{{ now | toTime }} {{ toDuration 3661.5 }} {{ toDuration 0.0015 }}"),
            "2023-11-14 22:13:20 +0000 UTC 1h1m1.5s 1.5ms");
  EXPECT_EQ(ask("{{ html `<a>` }} {{ js `it's` }} {{ urlquery `a b` }}"), "&lt;a&gt; it\\'s a+b");
  EXPECT_EQ(ask("{{ with args 1 `x` }}{{ .arg0 }}{{ .arg1 }}{{ .arg2 }}{{ end }}"), "1x<no value>");
}

TEST(Template, TimesAndDurationsHaveMethods) {
  EXPECT_EQ(ask("{{ ((toTime 60).Add (toDuration 5400)).Format `15:04` }} {{ ((toTime 90).Sub (toTime 30)).Minutes }}"),
            "01:31 1");
  EXPECT_EQ(ask("{{ $d := toDuration 5400.5 }}{{ $d.Hours }} {{ $d.Seconds }} {{ $d.Milliseconds }} {{ $d.String }}"),
            "1.500138888888889 5400.5 5400500 1h30m0.5s");
  EXPECT_EQ(ask("{{ (toTime -1).Format `2006-01-02 15:04:05 Jans` }}"), "1969-12-31 23:59:59 Jans");
  EXPECT_EQ(ask("{{ (toTime 0).Format }}"), "error: wrong number of args for Format: want 1 got 0");
  EXPECT_EQ(ask("{{ (toTime 0).Format 5 }}"), "error: wrong type for value; expected string; got int");
  EXPECT_EQ(ask("{{ (toTime 0).Zone }}"), "error: can't evaluate field Zone in type *time.Time");
  EXPECT_EQ(ask("{{ $.Value 5 }}"), "error: Value is not a method but has arguments");
}

TEST(Template, TemplatesCallTemplates) {
  EXPECT_EQ(ask("{{ define `a` }}[{{ . }}{{ $ }}]{{ end }}{{ template `a` 1 }}{{ template `a` }}"),
            "[11][<no value><no value>]");
  EXPECT_EQ(ask("{{ block `a` 2 }}<{{ . }}>{{ end }}{{ template `a` 3 }}"), "<2><3>");
  EXPECT_EQ(ask("{{ template `b` }}"), "error: template \"b\" not defined");
  EXPECT_THAT(ask("{{ define `a` }}{{ template `a` }}{{ end }}{{ template `a` }}"),
              HasSubstr("call each other deeper"));
}

TEST(Template, WhatALoopDoesIsBounded) {
  int asked = 0;
  EXPECT_THAT(ask("{{ range 1000 }}{{ $x := query `m` }}{{ end }}", &asked), HasSubstr("more than 100 queries"));
  EXPECT_EQ(asked, 100);
  EXPECT_THAT(ask("{{ range 9999999 }}{{ end }}"), HasSubstr("a range over more than"));
  EXPECT_THAT(ask("{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}"), HasSubstr("more than 200000 steps"));
  EXPECT_THAT(ask("{{ $s := `xx` }}{{ range 100 }}{{ $s = print $s $s }}{{ end }}"), HasSubstr("too large"));
  EXPECT_THAT(ask("{{ $s := args 1 }}{{ range 100 }}{{ $s = args $s $s }}{{ end }}"), HasSubstr("too large"));
  EXPECT_THAT(ask("{{ range 1.5 }}{{ end }}"), HasSubstr("range can't iterate over 1.5"));
}

TEST(Template, KnowsWhetherItIsConstant) {
  EXPECT_TRUE(Template::parse("critical")->constant());
  EXPECT_FALSE(Template::parse("{{ $value }}")->constant());
  EXPECT_EQ(Template::literal("{{ no }}").expand({}).value(), "{{ no }}");
}

TEST(Template, LabelValuesAreNotExpandedAgain) {
  EXPECT_EQ(expand("{{ $labels.a }}", 1, {{"a", "{{ $value }}"}}), "{{ $value }}");
}

}  // namespace
}  // namespace weir::templates

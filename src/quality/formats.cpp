#include "quality/formats.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::quality {
namespace {

// The building blocks have the names they have in Soda.
const std::string kSpaces = " *";
const std::string kSign = "[-+]?";
const std::string kPlus = R"(\+?)";
const std::string kMinus = R"(\-)";
const std::string kMonth = "(0?[1-9]|1[012])";
const std::string kDay = "(0?[1-9]|[12][0-9]|3[01])";
const std::string kYear = R"(([12][0-9])?\d\d)";
const std::string kHour24 = R"((0?[0-9]|[01]\d|2[0-3]))";
const std::string kHour12 = "(0?[0-9]|1[0-2])";
const std::string kMinute = "[0-5]?[0-9]";
const std::string kSecond = R"([0-5]?[0-9]([.,]\d+)?)";

/// One number in its three signs: "decimal point", "positive decimal point", "negative decimal point".
void add_signs(std::vector<NamedFormat>& formats, const std::string& name, const std::string& digits,
               const std::string& zero, const std::string& unit = "") {
  const std::string& s = kSpaces;
  const std::string end = s + unit + (unit.empty() ? "$" : s + "$");
  formats.push_back({name, "^" + s + kSign + s + digits + end, true});
  formats.push_back({"positive " + name, "^" + s + kPlus + s + digits + end, true});
  formats.push_back({"negative " + name, fmt::format("^{}({}{}{}|{}){}", s, kMinus, s, digits, zero, end), true});
}

void add_numbers(std::vector<NamedFormat>& formats) {
  const std::string any = R"((\d+([\.,]\d+)?|([\.,]\d+)))";
  const std::string point = R"((\d+(\.\d+)?|(\.\d+)))";
  const std::string comma = R"((\d+(,\d+)?|(,\d+)))";
  const std::string zero_any = R"((0+([\.,]0+)?|([\.,]0+)))";
  const std::string zero_point = R"((0+(\.0+)?|(\.0+)))";
  const std::string zero_comma = R"((0+(,0+)?|(,0+)))";
  add_signs(formats, "integer", "[0-9]+", "0+");
  add_signs(formats, "decimal", any, zero_any);
  add_signs(formats, "decimal point", point, zero_point);
  add_signs(formats, "decimal comma", comma, zero_comma);
  add_signs(formats, "percentage", any, zero_any, "%");
  add_signs(formats, "percentage point", point, zero_point, "%");
  add_signs(formats, "percentage comma", comma, zero_comma, "%");
  const std::string& s = kSpaces;
  const auto money = [&](const std::string& name, const std::string& digits) {
    formats.push_back({name, "^" + s + kSign + s + digits + s + "([A-Z]{3}|[a-z]{3})" + s + "$", true, true});
  };
  money("money", any);
  money("money point", R"(\d{1,3}(\,\d\d\d)*(.\d+)?)");
  money("money comma", R"(\d{1,3}(\.\d\d\d)*(,\d+)?)");
}

void add_times(std::vector<NamedFormat>& formats) {
  const std::string& s = kSpaces;
  const auto add = [&](const std::string& name, const std::string& body) {
    formats.push_back({name, "^" + s + body + s + "$"});
  };
  const std::string dash = R"([-\./])";
  add("date us", kMonth + dash + kDay + dash + kYear);
  add("date eu", kDay + dash + kMonth + dash + kYear);
  add("date inverse", kYear + dash + kMonth + dash + kDay);
  const std::string two = "[0-5][0-9]";
  add("date iso 8601", R"([12][0-9]{3}-?((0[1-9]|1[012])-?(0[1-9]|[12][0-9]|3[01])|W[0-5]\d(-?[1-7])?|[0-3]\d\d))"
                       "([ T]" +
                           kHour24 + "(:?" + two + "(:?" + two + R"(([.,]\d+)?)?)?([+-])" + kHour24 + ":?" + two +
                           "|Z)?)?");
  add("time 24h", kHour24 + ":" + kMinute + "(:" + kSecond + ")?");
  add("time 24h nosec", kHour24 + ":" + kMinute);
  add("time 12h", kHour12 + ":" + kMinute + "(:" + kSecond + ")?");
  add("time 12h nosec", kHour12 + ":" + kMinute);
  add("timestamp 24h", kHour24 + ":" + kMinute + ":" + kSecond);
  add("timestamp 12h", kHour12 + ":" + kMinute + ":" + kSecond);
}

std::string ipv6() {
  const std::string h = "[0-9a-fA-F]{1,4}";
  const std::string octet = "(25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])";
  const std::string v4 = "(" + octet + R"(\.){3,3})" + octet;
  return fmt::format(
      "^(({0}:){{7,7}}{0}|({0}:){{1,7}}:|({0}:){{1,6}}:{0}|({0}:){{1,5}}(:{0}){{1,2}}|({0}:){{1,4}}(:{0}){{1,3}}|"
      "({0}:){{1,3}}(:{0}){{1,4}}|({0}:){{1,2}}(:{0}){{1,5}}|{0}:((:{0}){{1,6}})|:((:{0}){{1,7}}|:)|"
      "fe80:(:[0-9a-fA-F]{{0,4}}){{0,4}}%[0-9a-zA-Z]{{1,}}|::(ffff(:0{{1,4}}){{0,1}}:){{0,1}}{1}|"
      "({0}:){{1,4}}:{1})$",
      h, v4);
}

std::vector<NamedFormat> all_formats() {
  std::vector<NamedFormat> formats;
  add_numbers(formats);
  add_times(formats);
  const std::string ipv4 = R"(^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$)";
  const std::string letters = "a-zA-ZÀ-ÿĀ-ſƀ-ȳ0-9";
  formats.push_back({"uuid", R"(^[0-9a-fA-F]{8}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{4}\-[0-9a-fA-F]{12}$)"});
  formats.push_back({"ip address", ipv4});
  formats.push_back({"ipv4 address", ipv4});
  formats.push_back({"ipv6 address", ipv6()});
  formats.push_back({"email", "^[" + letters + R"(.\-_%+]+@[)" + letters + R"(.\-_%]+\.[A-Za-z]{2,4}$)"});
  formats.push_back({"phone number", R"(^((\+[0-9]{1,2}\s)?\(?[0-9]{3}\)?[\s.-])?[0-9]{3}[\s.-][0-9]{4}$)"});
  formats.push_back({"credit card number",
                     "^[0-9]{14}|[0-9]{15}|[0-9]{16}|[0-9]{17}|[0-9]{18}|[0-9]{19}|([0-9]{4}-){3}[0-9]{4}|"
                     "([0-9]{4} ){3}[0-9]{4}$"});
  return formats;
}

}  // namespace

std::span<const NamedFormat> named_formats() {
  static const std::vector<NamedFormat> formats = all_formats();
  return formats;
}

const NamedFormat* find_format(std::string_view name) {
  const auto found = std::ranges::find(named_formats(), name, &NamedFormat::name);
  return found == named_formats().end() ? nullptr : &*found;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const NamedFormat& format : named_formats()) names.push_back(format.name);
  return names;
}

}  // namespace weir::quality

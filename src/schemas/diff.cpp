#include "schemas/diff.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::schemas {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kAlias = "keep its name, or name the old one among its aliases";
constexpr std::string_view kKeep = "keep it";
constexpr std::string_view kKeepFirst = "keep it, or give it a default in one version and remove it in the next";
constexpr std::string_view kKeepPlace = "keep it where it is";
constexpr std::string_view kSymbol = "give the enum a default, or a field of another name the new meaning";
constexpr std::string_view kNumber = "give the symbol its old number back; a new one is for a new symbol";
constexpr std::string_view kOpen = "leave additionalProperties as it was";
constexpr std::string_view kDefault = "give it a default";
constexpr std::string_view kOptional = "leave it optional, or give it a default";
constexpr std::string_view kRename = "keep its name";
constexpr std::string_view kBeside = "keep its type and add a field beside it";

bool contains(const Texts& texts, std::string_view text) { return std::ranges::find(texts, text) != texts.end(); }

std::string short_name(std::string_view name) { return std::string(name.substr(name.rfind('.') + 1)); }

/// "Address.zip"; of the root type the field's name alone.
std::string place(const Model& model, const Type& type, const std::string& field) {
  const bool root = type.name.empty() || type.name == model.record;
  if (model.format == Format::json) return type.name.empty() ? field : type.name + "." + field;
  return root ? field : short_name(type.name) + "." + field;
}

/// Whether what was written as `from` can be read as `to` (Avro 1.11, "Schema Resolution").
bool avro_promotes(std::string_view from, std::string_view to) {
  if (from == to) return true;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kPromotions{{{"int", "long"},
                                                                                      {"int", "float"},
                                                                                      {"int", "double"},
                                                                                      {"long", "float"},
                                                                                      {"long", "double"},
                                                                                      {"float", "double"},
                                                                                      {"string", "bytes"},
                                                                                      {"bytes", "string"}}};
  // A logical type is read as what it is made of: "long timestamp-millis".
  const std::string_view plain_from = from.substr(0, from.find(' '));
  const std::string_view plain_to = to.substr(0, to.find(' '));
  if (from.starts_with("fixed ") || from.find("decimal") != from.npos || to.find("decimal") != to.npos) return false;
  if (plain_from == plain_to) return true;
  // A record is told by its name without the namespace.
  if (plain_from.find('.') != plain_from.npos && short_name(plain_from) == short_name(plain_to)) return true;
  return std::ranges::find(kPromotions, std::pair(plain_from, plain_to)) != kPromotions.end();
}

/// Types of Protobuf whose bytes on the wire are alike (https://protobuf.dev/programming-guides/proto3/#updating).
int wire_class(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, int>, 15> kClasses{{{"int32", 1},
                                                                       {"uint32", 1},
                                                                       {"int64", 1},
                                                                       {"uint64", 1},
                                                                       {"bool", 1},
                                                                       {"enum", 1},
                                                                       {"sint32", 2},
                                                                       {"sint64", 2},
                                                                       {"string", 3},
                                                                       {"bytes", 3},
                                                                       {"fixed32", 4},
                                                                       {"sfixed32", 4},
                                                                       {"fixed64", 5},
                                                                       {"sfixed64", 5},
                                                                       {"group", 6}}};
  const auto found = std::ranges::find(kClasses, type, &std::pair<std::string_view, int>::first);
  return found == kClasses.end() ? 0 : found->second;
}

Texts split(std::string_view text) {
  Texts found;
  while (true) {
    const std::size_t end = text.find(kAlternative);
    found.emplace_back(text.substr(0, end));
    if (end == text.npos) return found;
    text.remove_prefix(end + kAlternative.size());
  }
}

bool readable(Format format, const std::string& from, const std::string& to);

/// Whether each type that may have been written is one that can be read.
bool all_readable(Format format, const Texts& from, const Texts& to) {
  return std::ranges::all_of(from, [&](const std::string& one) {
    return std::ranges::any_of(to, [&](const std::string& other) { return readable(format, one, other); });
  });
}

/// Of arrays and maps the elements count. Their types are not split further in: arrays of unions of arrays of unions
/// are only alike when they are written alike.
std::optional<bool> elements_readable(Format format, std::string_view from, std::string_view to) {
  for (const std::string_view of : {"array of ", "map of ", "repeated "}) {
    if (from.starts_with(of) != to.starts_with(of)) return false;
    if (!from.starts_with(of)) continue;
    from.remove_prefix(of.size());
    to.remove_prefix(of.size());
    return all_readable(format, split(from), split(to));
  }
  return std::nullopt;
}

bool readable(Format format, const std::string& from, const std::string& to) {
  if (from == to) return true;
  if (format == Format::json && to == "anything") return true;
  if (const auto elements = elements_readable(format, from, to)) return *elements;
  switch (format) {
    case Format::avro: return avro_promotes(from, to);
    case Format::protobuf: return wire_class(from) != 0 && wire_class(from) == wire_class(to);
    case Format::json: return from == "integer" && to == "number";
  }
  return false;
}

class Differ {
 public:
  Differ(const Model& older, const Model& newer) : older_(older), newer_(newer) {}

  std::vector<Change> run() {
    const bool avro = newer_.format == Format::avro;
    for (const Type& type : newer_.types) {
      const Type* before = former(type);
      if (before == nullptr) {
        if (newer_.format == Format::protobuf) added(type);
        continue;
      }
      if (before->name != type.name && newer_.format != Format::json) renamed(*before, type, avro);
      if (type.enumeration == before->enumeration) {
        type.enumeration ? symbols(*before, type) : fields(*before, type);
      } else if (newer_.format != Format::json) {  // there the field that it is of says so
        add(kKeep, short_name(type.name), true, true, "made {} {}", short_name(type.name),
            type.enumeration ? "an enum" : "no enum any more");
      }
    }
    if (newer_.format == Format::protobuf) removed_types();
    if (older_.types.empty() != newer_.types.empty())
      add(kKeep, "", true, true, "became of another kind: one is a record and the other a bare type");
    return std::move(changes_);
  }

 private:
  template <class... Args>
  void add(std::string_view advice, std::string where, bool backward, bool forward, fmt::format_string<Args...> text,
           Args&&... args) {
    changes_.push_back({fmt::format(text, std::forward<Args>(args)...), std::move(where), backward, forward, advice});
  }

  void added(const Type& type) {
    add({}, short_name(type.name), false, false, "added {} {}", type.enumeration ? "enum" : "message",
        short_name(type.name));
  }

  /// What a type was called before: itself, the root by its place, a record by its aliases.
  const Type* former(const Type& type) const {
    if (const Type* same = older_.find(type.name)) return same;
    for (const std::string& alias : type.aliases) {
      if (const Type* same = older_.find(alias)) return same;
    }
    const bool root = newer_.format != Format::protobuf && !older_.types.empty() && &type == &newer_.types.front();
    if (root && newer_.find(older_.types.front().name) == nullptr) return &older_.types.front();
    return nullptr;
  }

  void renamed(const Type& before, const Type& type, bool avro) {
    const bool only_space = short_name(before.name) == short_name(type.name);
    const bool aliased = contains(type.aliases, before.name);
    const bool breaks = avro && !only_space;
    add(kAlias, short_name(type.name), breaks && !aliased, breaks, "renamed {} to {}{}", before.name, type.name,
        breaks && !aliased ? " without an alias" : "");
  }

  void removed_types() {
    for (const Type& type : older_.types) {
      if (newer_.find(type.name) != nullptr) continue;
      add(kKeep, short_name(type.name), !type.enumeration, !type.enumeration, "removed {} {}",
          type.enumeration ? "enum" : "message", short_name(type.name));
    }
  }

  /// Protobuf's, which are told apart by number; nothing where there are none.
  static std::optional<int> number_of(const Type& type, const std::string& symbol) {
    const auto at = static_cast<std::size_t>(std::ranges::find(type.symbols, symbol) - type.symbols.begin());
    return at < type.numbers.size() ? std::optional(type.numbers[at]) : std::nullopt;
  }

  /// What a symbol that is new was called before: one of the same number that is gone.
  static std::string former_symbol(const Type& before, const Type& type, const std::string& symbol) {
    const auto number = number_of(type, symbol);
    for (std::size_t i = 0; number && i < before.numbers.size(); ++i) {
      if (before.numbers[i] == *number && !contains(type.symbols, before.symbols[i])) return before.symbols[i];
    }
    return {};
  }

  void symbols(const Type& before, const Type& type) {
    Texts renamed;
    const std::string where = newer_.format == Format::json ? type.name : short_name(type.name);
    for (const std::string& symbol : type.symbols) {
      const auto number = number_of(type, symbol);
      if (const auto old = number_of(before, symbol); old && number != old) {
        add(kNumber, where, true, true, "changed the number of symbol {} of enum {} from {} to {}", symbol, where, *old,
            number.value_or(0));
      }
      if (contains(before.symbols, symbol)) continue;
      if (const std::string old = former_symbol(before, type, symbol); !old.empty()) {
        renamed.push_back(old);
        add({}, where, false, false, "renamed symbol {} of enum {} to {}", old, where, symbol);
        continue;
      }
      const bool breaks = newer_.format == Format::json || (newer_.format == Format::avro && !before.has_default);
      add(kSymbol, where, false, breaks, "added symbol {} to enum {}", symbol, where);
    }
    for (const std::string& symbol : before.symbols) {
      if (contains(type.symbols, symbol) || contains(renamed, symbol)) continue;
      const bool breaks = newer_.format == Format::json || (newer_.format == Format::avro && !type.has_default);
      add(kSymbol, where, breaks, false, "removed symbol {} from enum {}", symbol, where);
    }
  }

  static const Field* same_field(const Type& type, const Field& field, Format format) {
    const auto found = std::ranges::find_if(type.fields, [&](const Field& other) {
      return format == Format::protobuf ? other.number == field.number : other.name == field.name;
    });
    return found == type.fields.end() ? nullptr : &*found;
  }

  /// The field it was before: of the same name or number, else one that an alias names.
  const Field* former(const Type& before, const Type& type, const Field& field) const {
    if (const Field* same = same_field(before, field, newer_.format)) return same;
    for (const std::string& alias : field.aliases) {
      const auto found = std::ranges::find(before.fields, alias, &Field::name);
      if (found != before.fields.end() && same_field(type, *found, newer_.format) == nullptr) return &*found;
    }
    return nullptr;
  }

  void fields(const Type& before, const Type& type) {
    std::vector<const Field*> kept;
    for (const Field& field : type.fields) {
      const Field* old = former(before, type, field);
      old == nullptr ? added(before, type, field) : altered(*old, type, field);
      kept.push_back(old);
    }
    for (const Field& field : before.fields) {
      if (std::ranges::find(kept, &field) == kept.end()) removed(before, type, field);
    }
    if (newer_.format == Format::json && before.closed != type.closed) {
      const std::string what = type.name.empty() ? "the object" : type.name;
      add(kOpen, what, type.closed, !type.closed, "{} other fields in {}",
          type.closed ? "no longer allows" : "now allows", what);
    }
  }

  void added(const Type& before, const Type& type, const Field& field) {
    const std::string where = place(newer_, type, field.name);
    switch (newer_.format) {
      case Format::avro:
        return add(kDefault, where, !field.has_default, false, "added field {} ({}){}", where, field.type,
                   field.has_default ? "" : " without a default");
      case Format::protobuf:
        return add(kOptional, where, field.required, false, "added {}field {} ({}){}",
                   field.required ? "required " : "", where, field.type, in_group(field));
      case Format::json:
        return add(kOptional, where, (field.required && !field.has_default) || !before.closed, before.closed,
                   "added {} field {} ({})", field.required ? "required" : "optional", where, field.type);
    }
  }

  static std::string in_group(const Field& field) { return field.oneof.empty() ? "" : " to the oneof " + field.oneof; }

  void removed(const Type& before, const Type& type, const Field& field) {
    const std::string where = place(older_, before, field.name);
    switch (newer_.format) {
      case Format::avro:
        return add(kKeepFirst, where, false, !field.has_default, "removed field {} ({}){}", where, field.type,
                   field.has_default ? "" : ", which had no default");
      case Format::protobuf:
        return add(kKeep, where, !field.oneof.empty(), field.required, "removed {}field {} ({}){}",
                   field.required ? "required " : "", where, field.type,
                   field.oneof.empty() ? "" : " from the oneof " + field.oneof);
      case Format::json:
        return add(kKeep, where, type.closed, field.required || !type.closed, "removed {} field {} ({})",
                   field.required ? "required" : "optional", where, field.type);
    }
  }

  void altered(const Field& old, const Type& type, const Field& field) {
    const std::string where = place(newer_, type, field.name);
    if (old.name != field.name) {
      const bool by_number = newer_.format == Format::protobuf;
      add(kRename, where, false, !by_number && !old.has_default, "renamed field {} to {}", old.name, field.name);
    }
    if (old.parts != field.parts || old.type != field.type) {
      const bool backward = !all_readable(newer_.format, old.parts, field.parts);
      const bool forward = !all_readable(newer_.format, field.parts, old.parts);
      add(kBeside, where, backward, forward, "changed the type of field {} from {} to {}", where, old.type, field.type);
    }
    if (newer_.format == Format::avro && old.has_default && !field.has_default)
      add({}, where, false, false, "took the default of field {} away", where);
    if (newer_.format == Format::avro && !old.has_default && field.has_default)
      add({}, where, false, false, "gave field {} a default", where);
    if (newer_.format != Format::avro && old.required != field.required) {
      add(kOptional, where, field.required && !field.has_default, !field.required, "made field {} {}", where,
          field.required ? "required" : "optional");
    }
    if (old.oneof != field.oneof) {
      add(kKeepPlace, where, true, false, "moved field {} {}", where,
          field.oneof.empty() ? "out of the oneof " + old.oneof : "into the oneof " + field.oneof);
    }
  }

  const Model& older_;
  const Model& newer_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> diff(const Model& older, const Model& newer) {
  if (older.format != newer.format) {
    return {{fmt::format("changed the format from {} to {}", to_string(older.format), to_string(newer.format)), "",
             true, true, kKeep}};
  }
  return Differ(older, newer).run();
}

std::string describe(std::span<const Change> changes, std::size_t most) {
  // What breaks readers comes first: it is what the reader of the sentence looks for.
  std::vector<const Change*> ordered;
  for (const Change& change : changes) ordered.push_back(&change);
  std::ranges::stable_sort(ordered, [](const Change* a, const Change* b) {
    return (a->breaks_backward || a->breaks_forward) > (b->breaks_backward || b->breaks_forward);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(most, ordered.size()); ++i) text += (i == 0 ? "" : "; ") + ordered[i]->text;
  if (ordered.size() > most) {
    const std::size_t more = ordered.size() - most;
    text += fmt::format("; and {} more change{}", more, more == 1 ? "" : "s");
  }
  return text;
}

std::string advice(std::span<const Change> changes) {
  const auto found = std::ranges::find_if(changes, [](const Change& change) {
    return !change.advice.empty() && (change.breaks_backward || change.breaks_forward);
  });
  if (found == changes.end()) return {};
  return found->where.empty() ? std::string(found->advice) : fmt::format("{}: {}", found->where, found->advice);
}

std::vector<Change> breaking(std::span<const Change> changes, bool backward, bool forward) {
  std::vector<Change> found;
  std::ranges::copy_if(changes, std::back_inserter(found), [&](const Change& change) {
    return (backward && change.breaks_backward) || (forward && change.breaks_forward);
  });
  return found;
}

}  // namespace weir::schemas

"""The checks that both programs run: each a line and its settings."""

FORMATS = ["integer", "positive integer", "negative integer", "decimal", "positive decimal", "negative decimal",
           "decimal point", "positive decimal point", "negative decimal point", "decimal comma", "positive decimal comma",
           "negative decimal comma", "percentage", "positive percentage", "negative percentage", "percentage point",
           "positive percentage point", "negative percentage point", "percentage comma", "positive percentage comma",
           "negative percentage comma", "money", "money point", "money comma", "date us", "date eu", "date inverse",
           "date iso 8601", "time 24h", "time 24h nosec", "time 12h", "time 12h nosec", "timestamp 24h", "timestamp 12h",
           "uuid", "ip address", "ipv4 address", "ipv6 address", "email", "phone number", "credit card number"]

NUMBERS = ["min", "max", "avg", "sum", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"]

# Run on clean, dirty, empty and nulls alike.
COMMON = [
    ("row_count > 0", {}), ("row_count between 5 and 400", {}), ("row_count not between (8 and 400)", {}), ("row_count != 8", {}),
    ("row_count > 0", {"filter": "a = 1"}), ("row_count", {"warn": "when < 10", "fail": "when < 6"}),
    ("missing_count(customer_id) = 0", {}), ("missing_percent(customer_id) < 10%", {}),
    ("missing_count(size) = 0", {"missing values": ["N/A", ""]}), ("missing_count(email) = 1", {"missing regex": "^(N/A)?$"}),
    ("missing_count(price) < 3", {"missing format": "percentage"}), ("missing_percent(size) < 20", {"filter": "quantity > 0"}),
    ("missing_count(quantity) = 1", {"missing values": [0, 100]}),
    ("invalid_count(size) = 0", {"valid values": ["S", "M", "L"]}),
    ("invalid_percent(size) < 30%", {"valid values": ["S", "M", "L"]}),
    ("invalid_count(size) = 2", {"valid values": ["S", "M", "L"], "missing values": ["N/A"]}),
    ("invalid_count(size) < 2", {"invalid values": ["XL", "s"]}),
    ("invalid_count(quantity) = 0", {"valid min": 0, "valid max": 10}), ("invalid_count(amount) = 1", {"valid min": 0.5}),
    ("invalid_count(code) = 0", {"valid length": 8}),
    ("invalid_count(code) = 0", {"valid min length": 1, "valid max length": 9}),
    ("invalid_count(code) < 3", {"valid regex": "^[0-9]{8}$"}), ("invalid_count(code) < 3", {"invalid regex": "[a-z]+"}),
    ("invalid_count(email) < 3", {"valid format": "email"}), ("invalid_count(email) < 3", {"invalid format": "email"}),
    ("invalid_count(price) < 3", {"valid format": "decimal", "valid min": 1}),
    ("invalid_count(size) = 0", {"valid values": ["S", "M", "L"], "invalid regex": "^M$"}),
    ("invalid_count(size) = 1", {"valid values": ["S", "M", "L"], "filter": "quantity >= 0"}),
    ("invalid_count(size) = 1", {"valid values": ["S", "M", "L"], "include null": True}),
    ("duplicate_count(id) = 0", {}), ("duplicate_percent(id) < 50%", {}), ("duplicate_count(a, b) = 1", {}),
    ("duplicate_percent(a, b) < 20", {}), ("duplicate_count(customer_id) = 2", {"filter": "id > 1"}),
    *((f"{word}(amount) > 10", {}) for word in NUMBERS), *((f"{word}(quantity) >= 1", {}) for word in NUMBERS),
    ("avg(amount) < 100", {"filter": "quantity < 50"}), ("max(amount) < 100", {"valid max": 1000}),
    ("sum(quantity) between 1 and 10000", {"missing values": [100]}),
    ("avg(amount)", {"warn": "when > 5", "fail": "when > 1000"}),
    ("percentile(amount, 0.5) > 10", {}), ("percentile(quantity, 0.95) < 50", {}), ("percentile(rate, 0) < 50", {}),
    ("avg_length(code) = 8", {}), ("min_length(code) > 0", {}), ("max_length(email) < 20", {}),
    ("max_length(email) < 20", {"valid regex": "@"}),
    ("freshness(created_at, NOW_AT) < 1d", {}), ("freshness(created_at, NOW_AT) < 24h30m", {}),
    ("freshness(local_at, NOW_AT) < 12h", {}), ("freshness(day, NOW_AT) < 23d", {}),
    ("freshness(created_at, NOW_AT)", {"warn": "when > 1h", "fail": "when > 2d"}),
    ("freshness(created_at, NOW_AT) < 2h", {"filter": "quantity < 3"}),
    ("row_count > ${LEAST}", {}),
]

DIRTY = [(f"invalid_count({column}) < 5", {"valid format": name}) for name in FORMATS for column in ("price", "email")] + [
    ("invalid_count(phone) < 3", {"valid format": "phone number"}), ("invalid_count(ip) < 3", {"valid format": "ip address"}),
    ("invalid_count(ip) < 3", {"valid format": "ipv6 address"}), ("max(amount) > 5", {"filter": "email LIKE '%''%'"}),
    ("row_count = 1", {"filter": "email = 'it''s \"odd\"'"}),
]

EXTREMES = [(f"{word}({column}) > 0", {}) for word in ("min", "max", "avg", "sum") for column in ("big", "wide", "huge", "small", "single")] + [
    ("stddev(small) > 0", {}), ("variance(single) > 0", {}), ("percentile(big, 0.5) = 0", {}), ("missing_count(wide) = 1", {}),
    ("invalid_count(huge) = 2", {"valid min": -1, "valid max": 1e300}), ("invalid_count(big) = 1", {"valid values": [0, 1, -9223372036854775808]}),
]

ODD = [('missing_count("Odd Name") = 0', {}), ('duplicate_count("a.b") = 1', {}), ('max("ALLCAPS") = 3', {}),
       ('avg("naïve") = 2', {}), ('invalid_count("select") = 0', {"valid values": ["a", "b"]}), ('sum("x-y") = 6', {}),
       ('duplicate_count("a.b", "Odd Name") = 0', {}), ("row_count = 3", {})]

KEYED = [("duplicate_count(id) = 0", {}), ("duplicate_percent(id) = 0", {}), ("duplicate_count(a, b) = 0", {}),
         ("duplicate_count(a) = 1", {}), ("duplicate_count(b) = 0", {}), ("duplicate_count(id, a) = 0", {}),
         ("duplicate_count(b, a) = 0", {"filter": "id > 1"})]

TABLES = {"clean": COMMON, "dirty": COMMON + DIRTY, "empty": COMMON, "nulls": COMMON, "extremes": EXTREMES,
          '"Odd Table"': ODD, "keyed": KEYED}

# A filter stands above its use, as Soda wants it.
CONFIGURED = """
configurations for conf:
  valid values for size: [S, M, L]
  missing values for size: ["N/A"]
  valid min for quantity: 0
  missing values for code: ["N/A", ""]
checks for conf:
  - invalid_count(size) = 0: {name: conf 1}
  - missing_count(size) = 2: {name: conf 2}
  - invalid_count(quantity) = 0: {name: conf 3}
  - missing_count(code) = 1: {name: conf 4, missing values: ["2"]}
  - avg(quantity) > 10: {name: conf 5}
  - min_length(code) > 1: {name: conf 6}
  - invalid_count(quantity) = 1: {name: conf 7, valid max: 10}
filter conf [recent]:
  where: created_at > TIMESTAMP '${SINCE}'
checks for conf [recent]:
  - row_count > 1: {name: part 1}
  - missing_count(size) = 0: {name: part 2}
  - duplicate_count(customer_id) = 1: {name: part 3}
  - max(amount) < 100: {name: part 4, filter: quantity < 50}
  - invalid_percent(size) < 20%: {name: part 5}
for each dataset D:
  datasets: [c%, exclude %nf, "nulls"]
  checks:
    - row_count > 6: {name: "each ${D}"}
    - missing_count(id) = 0: {name: "each id ${D}"}
"""

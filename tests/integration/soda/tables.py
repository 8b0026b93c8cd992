"""The tables that both programs check: clean, dirty, empty, all NULL, odd names, time zones, numeric extremes."""

COLUMNS = """(id int, customer_id int, email text, amount numeric(12, 2), size text, quantity int, rate float8,
  code text, price text, ip text, phone text, day date, created_at timestamptz, loaded_at timestamptz, local_at timestamp,
  a int, b int)"""

_CLEAN = """INSERT INTO clean SELECT i, 1 + i % 50, 'user' || i || '@example.com', (i % 97) + 0.25,
  (ARRAY['S', 'M', 'L'])[1 + i % 3], i % 7, i / 3.0, lpad(i::text, 8, '0'), (i % 100) || '.5', '10.0.0.' || i % 250,
  '555-0' || lpad((i % 1000)::text, 3, '0'), date '2026-01-01' + i % 28,
  timestamptz '2026-01-28 00:00:00+00' + i * interval '1 minute', timestamptz '2026-01-28 00:00:20+00' + i * interval '61 second',
  timestamp '2026-01-28 10:00:00' + i * interval '1 second', i % 10, i / 10 FROM generate_series(1, 400) AS i"""

_DIRTY = """INSERT INTO dirty VALUES
  (1, 7, 'a@b.co', 10, 'S', 1, 0.5, '00000001', '1.5', '10.0.0.1', '555-0100', '2026-01-02', '2026-01-28 10:00:00+00', '2026-01-28 10:00:05+00', '2026-01-28 10:00:00', 1, 1),
  (1, 7, 'not an email', -5, 'XL', -1, 'Infinity', '2', '1,5', '999.1.1', '12', '2026-01-03', '2026-01-28 12:00:00+02', '2026-01-28 11:00:00+00', NULL, 1, 1),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, 8, '', 0, '', 0, -0.0, '', '', '', '', '2025-12-31', '1999-01-01 00:00:00-08', '2026-01-28 10:00:00+00', '1999-01-01', 1, 2),
  (3, 8, 'N/A', 99999.99, 'N/A', 100, 1e-10, 'N/A', '-7 USD', '1.2.3.4', '555 0101', '2026-01-04', '2026-01-28 09:59:59.5+00', '2026-01-28 09:59:59+00', '2026-01-28 23:59:59', 1, 2),
  (4, 9, 'x@y.com', 10.00, 's', 2, 2, '00000004', ' +12.50 %', '10.0.0.1', '(555) 555-0102', '2026-01-04', '2026-01-28 08:00:00+00', NULL, '2026-01-27 08:00:00', NULL, 3),
  (5, 9, 'ünï@exämple.org', 20.5, 'M', 3, 3, 'ünïcödé!', 'abc', '::1', '555.555.0103', '2026-01-05', '2026-01-28 07:00:00+00', '2026-01-28 07:00:30+00', '2026-01-28 07:00:00', 2, NULL),
  (6, 9, 'it''s "odd"', 20.5, 'L', 4, 4, E'line\\nbreak', '100%', '256.256.256.256', '5550104', '2026-01-06', '2026-01-28 06:00:00+00', '2026-01-28 16:00:00+00', '2026-01-28 06:00:00', 2, NULL)"""

_EXTREMES = """INSERT INTO extremes VALUES (9223372036854775807, 1e30, 1e150, -32768, 3.4e30),
  (-9223372036854775808, -1e30, -1e150, 32767, -3.4e30), (0, 0.000000000000000000001, 1e-300, 0, 1.5), (1, 1, 1, 1, 1), (NULL, NULL, NULL, NULL, NULL)"""

STATEMENTS = [
    *(f"CREATE TABLE {name} {COLUMNS}" for name in ("clean", "dirty", "empty", "nulls")),
    _CLEAN, _DIRTY, "INSERT INTO nulls SELECT FROM generate_series(1, 5)",
    "CREATE TABLE extremes (big bigint, wide numeric, huge float8, small smallint, single real)", _EXTREMES,
    "CREATE TABLE conf AS SELECT * FROM dirty",
    """CREATE TABLE "Odd Table" ("Odd Name" int, "select" text, "naïve" numeric, "ALLCAPS" int, "a.b" int, "x-y" int)""",
    """INSERT INTO "Odd Table" VALUES (1, 'a', 1.5, 1, 1, 1), (NULL, 'b', 2.5, 2, 1, 2), (3, NULL, NULL, 3, 2, 3)""",
    "CREATE TABLE keyed (id int PRIMARY KEY, a int NOT NULL, b int, UNIQUE (a, b))",
    "INSERT INTO keyed VALUES (1, 1, 1), (2, 1, 2), (3, 1, NULL), (4, 1, NULL)",
    "ANALYZE",
]

-- count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- approximate_count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- sum
SELECT weir_sum("amount") FROM "sales"."fct_orders";
-- average
SELECT CASE WHEN total(typeof("amount") IN ('text', 'blob')) > 0 THEN 'text' ELSE avg("amount") END FROM "sales"."fct_orders";
-- stddev_pop
SELECT weir_stddev_pop("amount") FROM "sales"."fct_orders";
-- stddev_samp
SELECT weir_stddev_samp("amount") FROM "sales"."fct_orders";
-- var_pop
SELECT weir_var_pop("amount") FROM "sales"."fct_orders";
-- var_samp
SELECT weir_var_samp("amount") FROM "sales"."fct_orders";
-- percentile_cont
SELECT weir_percentile_cont("amount", 0.95) FROM "sales"."fct_orders";
-- percentile_disc
SELECT weir_percentile_disc("amount", 0.95) FROM "sales"."fct_orders";
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN "amount" <> 0 THEN CASE WHEN typeof("amount") IN ('integer', 'real') THEN ceil(ln(abs(CAST("amount" AS real))) / 0.01) END ELSE 0 END AS bin FROM "sales"."fct_orders") bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST("amount" AS real) AS v, row_number() OVER (ORDER BY CAST("amount" AS real)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST("amount" AS real) AS v, row_number() OVER (ORDER BY CAST("amount" AS real)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL AND ("amount" > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count(*) FILTER (WHERE "amount" < 0), count(*) FILTER (WHERE "amount" >= 0 AND "amount" < 9.99), count(*) FILTER (WHERE "amount" >= 9.99 AND "amount" <= 1000000), count(*) FILTER (WHERE "amount" > 1000000) FROM "sales"."fct_orders";
-- length
SELECT max(length("e-mail")) FROM "sales"."fct_orders";
-- lower
SELECT count(*) FILTER (WHERE lower("e-mail") = 'it''s \ a ''text''
') FROM "sales"."fct_orders";
-- upper
SELECT count(*) FILTER (WHERE upper("e-mail") = 'GRÖẞE') FROM "sales"."fct_orders";
-- matches
SELECT count(*) FILTER (WHERE weir_matches("e-mail", '^[^@\s]+@it''s\.org$')) FROM "sales"."fct_orders";
-- like
SELECT count(*) FILTER (WHERE "e-mail" LIKE '100!%!_[a]!!\%' ESCAPE '!') FROM "sales"."fct_orders";
-- cast_text
SELECT min(CAST("amount" AS text)) FROM "sales"."fct_orders";
-- cast_number
SELECT min(CAST("e-mail" AS real)) FROM "sales"."fct_orders";
-- odd names
SELECT count(*) FILTER (WHERE "größe in € `a` [b] 'c' d" IS NULL) FROM "sales"."fct_orders";
-- epoch_seconds
SELECT max(CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) FROM "sales"."fct_orders";
-- seconds_between
SELECT max(((CASE WHEN typeof("loaded_at") IN ('integer', 'real') THEN "loaded_at" ELSE (julianday("loaded_at") - 2440587.5) * 86400.0 END) - (CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END))) FROM "sales"."fct_orders";
-- time_bucket
SELECT (CAST(round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 3600000.0 AS integer) - (round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) < CAST(round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 3600000.0 AS integer) * 3600000.0)) * 3600 AS bucket, count(*) AS n FROM "sales"."fct_orders" GROUP BY (CAST(round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 3600000.0 AS integer) - (round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) < CAST(round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 3600000.0 AS integer) * 3600000.0)) * 3600;
-- at_or_after
SELECT count(*) FILTER (WHERE (round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 1000.0) >= 1767323045.678) FROM "sales"."fct_orders";
-- before
SELECT count(*) FILTER (WHERE (round((CASE WHEN typeof("ordered_at") IN ('integer', 'real') THEN "ordered_at" ELSE (julianday("ordered_at") - 2440587.5) * 86400.0 END) * 1000.0) / 1000.0) < 1767323045.678) FROM "sales"."fct_orders";
-- timestamp_literal
SELECT count(*) FILTER (WHERE "ordered_at" = '2026-01-02T03:04:05.678Z') FROM "sales"."fct_orders";
-- limited
SELECT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- limited distinct
SELECT DISTINCT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- without_rows
SELECT "amount" FROM "sales"."fct_orders" LIMIT 0;
-- parameter
SELECT "amount" FROM "sales"."fct_orders" WHERE "amount" = ?1;
-- tables
SELECT 'main', name, CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'foreign' ELSE 'table' END, 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name;
-- columns_of
SELECT name, type FROM pragma_table_xinfo('it''s');
-- kind_of
SELECT CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'foreign' ELSE 'table' END FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower('it''s');
-- unique_indexes_of
SELECT il.name, ii.name, ii.seqno + 1, max(ti."notnull") FROM pragma_index_list('it''s') il JOIN pragma_index_info(il.name) ii JOIN pragma_table_xinfo('it''s') ti ON ti.cid = ii.cid WHERE il."unique" = 1 AND il.partial = 0 AND NOT EXISTS (SELECT 1 FROM pragma_index_info(il.name) e WHERE e.cid < 0) GROUP BY 1, 2, 3 UNION ALL SELECT 'rowid', name, 1, 1 FROM pragma_table_xinfo('it''s') WHERE pk = 1 AND upper(type) = 'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo('it''s') WHERE pk > 0) = 1 AND NOT EXISTS (SELECT 1 FROM pragma_index_list('it''s') WHERE origin = 'pk') ORDER BY 1, 3;
-- change_counters
SELECT data_version, weir_session() FROM pragma_data_version;
-- columns_of
SELECT name, type FROM pragma_table_xinfo('fct_orders', 'sales');
-- kind_of
SELECT CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'foreign' ELSE 'table' END FROM "sales".sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower('fct_orders');
-- unique_indexes_of
SELECT il.name, ii.name, ii.seqno + 1, max(ti."notnull") FROM pragma_index_list('fct_orders', 'sales') il JOIN pragma_index_info(il.name) ii JOIN pragma_table_xinfo('fct_orders', 'sales') ti ON ti.cid = ii.cid WHERE il."unique" = 1 AND il.partial = 0 AND NOT EXISTS (SELECT 1 FROM pragma_index_info(il.name) e WHERE e.cid < 0) GROUP BY 1, 2, 3 UNION ALL SELECT 'rowid', name, 1, 1 FROM pragma_table_xinfo('fct_orders', 'sales') WHERE pk = 1 AND upper(type) = 'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo('fct_orders', 'sales') WHERE pk > 0) = 1 AND NOT EXISTS (SELECT 1 FROM pragma_index_list('fct_orders', 'sales') WHERE origin = 'pk') ORDER BY 1, 3;
-- change_counters
SELECT data_version, weir_session() FROM pragma_data_version;

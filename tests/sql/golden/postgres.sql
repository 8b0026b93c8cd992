-- count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- approximate_count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- sum
SELECT sum("amount") FROM "sales"."fct_orders";
-- average
SELECT avg("amount") FROM "sales"."fct_orders";
-- stddev_pop
SELECT stddev_pop("amount") FROM "sales"."fct_orders";
-- stddev_samp
SELECT stddev_samp("amount") FROM "sales"."fct_orders";
-- var_pop
SELECT var_pop("amount") FROM "sales"."fct_orders";
-- var_samp
SELECT var_samp("amount") FROM "sales"."fct_orders";
-- percentile_cont
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY "amount") FROM "sales"."fct_orders";
-- percentile_disc
SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY "amount") FROM "sales"."fct_orders";
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN "amount" <> 0 THEN ceil(ln(abs(("amount")::float8)) / 0.01) ELSE 0 END AS bin FROM "sales"."fct_orders") bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT ("amount")::float8 AS v, row_number() OVER (ORDER BY ("amount")::float8) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT ("amount")::float8 AS v, row_number() OVER (ORDER BY ("amount")::float8) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL AND ("amount" > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count(*) FILTER (WHERE "amount" < 0), count(*) FILTER (WHERE "amount" >= 0 AND "amount" < 9.99), count(*) FILTER (WHERE "amount" >= 9.99 AND "amount" <= 1000000), count(*) FILTER (WHERE "amount" > 1000000) FROM "sales"."fct_orders";
-- length
SELECT max(char_length(("e-mail")::text)) FROM "sales"."fct_orders";
-- lower
SELECT count(*) FILTER (WHERE lower("e-mail") = E'it''s \\ a ''text''
') FROM "sales"."fct_orders";
-- upper
SELECT count(*) FILTER (WHERE upper("e-mail") = 'GRÖẞE') FROM "sales"."fct_orders";
-- matches
SELECT count(*) FILTER (WHERE ("e-mail")::text ~ E'^[^@\\s]+@it''s\\.org$') FROM "sales"."fct_orders";
-- like
SELECT count(*) FILTER (WHERE ("e-mail")::text LIKE E'100!%!_[a]!!\\%' ESCAPE '!') FROM "sales"."fct_orders";
-- cast_text
SELECT min(("amount")::text) FROM "sales"."fct_orders";
-- cast_number
SELECT min(("e-mail")::float8) FROM "sales"."fct_orders";
-- odd names
SELECT count(*) FILTER (WHERE "größe in € `a` [b] 'c' d" IS NULL) FROM "sales"."fct_orders";
-- epoch_seconds
SELECT max(extract(epoch FROM ("ordered_at")::timestamptz)::float8) FROM "sales"."fct_orders";
-- seconds_between
SELECT max((extract(epoch FROM ("loaded_at")::timestamptz)::float8 - extract(epoch FROM ("ordered_at")::timestamptz)::float8)) FROM "sales"."fct_orders";
-- time_bucket
SELECT CAST(floor(extract(epoch FROM ("ordered_at")::timestamptz)::float8 / 3600) * 3600 AS bigint) AS bucket, count(*) AS n FROM "sales"."fct_orders" GROUP BY CAST(floor(extract(epoch FROM ("ordered_at")::timestamptz)::float8 / 3600) * 3600 AS bigint);
-- at_or_after
SELECT count(*) FILTER (WHERE "ordered_at" >= TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00') FROM "sales"."fct_orders";
-- before
SELECT count(*) FILTER (WHERE "ordered_at" < TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00') FROM "sales"."fct_orders";
-- timestamp_literal
SELECT count(*) FILTER (WHERE "ordered_at" = TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00') FROM "sales"."fct_orders";
-- limited
SELECT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- limited distinct
SELECT DISTINCT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- without_rows
SELECT "amount" FROM "sales"."fct_orders" LIMIT 0;
-- explain
EXPLAIN (FORMAT JSON) SELECT "amount" FROM "sales"."fct_orders";
-- parameter
SELECT "amount" FROM "sales"."fct_orders" WHERE "amount" = $1;
-- tables
SELECT n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'f' THEN 'foreign' ELSE 'other' END, CASE WHEN pg_table_is_visible(c.oid) THEN 1 ELSE 0 END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' ORDER BY 1, 2;
-- columns_of
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass('"it''s"') AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
-- kind_of
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'f' THEN 'foreign' ELSE 'other' END FROM pg_class c WHERE c.oid = to_regclass('"it''s"');
-- unique_indexes_of
SELECT x.relname, a.attname, k.place, CASE WHEN a.attnotnull THEN 1 ELSE 0 END FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE i.indrelid = to_regclass('"it''s"') AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts AND (c.relkind = 'p' OR NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = c.oid)) ORDER BY 1, 3;
-- row_estimate
WITH RECURSIVE tree(oid) AS (SELECT to_regclass('"it''s"')::oid UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree t ON h.inhparent = t.oid) SELECT CASE WHEN min(c.reltuples) >= 0 THEN sum(c.reltuples::float8) END FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f');
-- change_counters
WITH RECURSIVE tree(oid) AS (SELECT to_regclass('"it''s"')::oid UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree t ON h.inhparent = t.oid) SELECT count(*) AS tables, sum(pg_stat_get_tuples_inserted(c.oid))::text AS inserted, sum(pg_stat_get_tuples_updated(c.oid))::text AS updated, sum(pg_stat_get_tuples_deleted(c.oid))::text AS deleted, sum(pg_relation_size(c.oid))::text AS bytes, md5(string_agg(concat_ws(':', c.oid, c.relfilenode, c.xmin), ',' ORDER BY c.oid)), (SELECT md5(string_agg(concat_ws(':', a.attnum, a.xmin, a.attname, has_column_privilege(a.attrelid, a.attnum, 'SELECT')), ',' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = to_regclass('"it''s"') AND a.attnum > 0), pg_postmaster_start_time()::text, (SELECT d.stats_reset::text FROM pg_stat_database d WHERE d.datname = current_database()) FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE current_setting('track_counts') = 'on' AND NOT pg_is_in_recovery() HAVING bool_and(c.relkind IN ('r', 'p', 'm') AND NOT c.relrowsecurity);
-- columns_of
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass('"sales"."fct_orders"') AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
-- kind_of
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'f' THEN 'foreign' ELSE 'other' END FROM pg_class c WHERE c.oid = to_regclass('"sales"."fct_orders"');
-- unique_indexes_of
SELECT x.relname, a.attname, k.place, CASE WHEN a.attnotnull THEN 1 ELSE 0 END FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE i.indrelid = to_regclass('"sales"."fct_orders"') AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts AND (c.relkind = 'p' OR NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = c.oid)) ORDER BY 1, 3;
-- row_estimate
WITH RECURSIVE tree(oid) AS (SELECT to_regclass('"sales"."fct_orders"')::oid UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree t ON h.inhparent = t.oid) SELECT CASE WHEN min(c.reltuples) >= 0 THEN sum(c.reltuples::float8) END FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f');
-- change_counters
WITH RECURSIVE tree(oid) AS (SELECT to_regclass('"sales"."fct_orders"')::oid UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree t ON h.inhparent = t.oid) SELECT count(*) AS tables, sum(pg_stat_get_tuples_inserted(c.oid))::text AS inserted, sum(pg_stat_get_tuples_updated(c.oid))::text AS updated, sum(pg_stat_get_tuples_deleted(c.oid))::text AS deleted, sum(pg_relation_size(c.oid))::text AS bytes, md5(string_agg(concat_ws(':', c.oid, c.relfilenode, c.xmin), ',' ORDER BY c.oid)), (SELECT md5(string_agg(concat_ws(':', a.attnum, a.xmin, a.attname, has_column_privilege(a.attrelid, a.attnum, 'SELECT')), ',' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = to_regclass('"sales"."fct_orders"') AND a.attnum > 0), pg_postmaster_start_time()::text, (SELECT d.stats_reset::text FROM pg_stat_database d WHERE d.datname = current_database()) FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE current_setting('track_counts') = 'on' AND NOT pg_is_in_recovery() HAVING bool_and(c.relkind IN ('r', 'p', 'm') AND NOT c.relrowsecurity);

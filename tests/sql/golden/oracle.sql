-- count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- approximate_count_distinct
SELECT approx_count_distinct("e-mail") FROM "sales"."fct_orders";
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
SELECT bin, count(*) FROM (SELECT CASE WHEN "amount" <> 0 THEN ceil(ln(abs(CAST("amount" AS binary_double))) / 0.01) ELSE 0 END AS bin FROM "sales"."fct_orders") bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST("amount" AS binary_double) AS v, row_number() OVER (ORDER BY CAST("amount" AS binary_double)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST("amount" AS binary_double) AS v, row_number() OVER (ORDER BY CAST("amount" AS binary_double)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL AND ("amount" > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count(CASE WHEN "amount" < 0 THEN 1 END), count(CASE WHEN "amount" >= 0 AND "amount" < 9.99 THEN 1 END), count(CASE WHEN "amount" >= 9.99 AND "amount" <= 1000000 THEN 1 END), count(CASE WHEN "amount" > 1000000 THEN 1 END) FROM "sales"."fct_orders";
-- length
SELECT max(length("e-mail")) FROM "sales"."fct_orders";
-- lower
SELECT count(CASE WHEN lower("e-mail") = 'it''s \ a ''text''
' THEN 1 END) FROM "sales"."fct_orders";
-- upper
SELECT count(CASE WHEN upper("e-mail") = 'GRÖẞE' THEN 1 END) FROM "sales"."fct_orders";
-- matches
SELECT count(CASE WHEN regexp_like("e-mail", '^[^@\s]+@it''s\.org$') THEN 1 END) FROM "sales"."fct_orders";
-- like
SELECT count(CASE WHEN "e-mail" LIKE '100!%!_[a]!!\%' ESCAPE '!' THEN 1 END) FROM "sales"."fct_orders";
-- cast_text
SELECT min(CAST("amount" AS varchar2(4000))) FROM "sales"."fct_orders";
-- cast_number
SELECT min(CAST("e-mail" AS binary_double)) FROM "sales"."fct_orders";
-- odd names
SELECT count(CASE WHEN "größe in € `a` [b] 'c' d" IS NULL THEN 1 END) FROM "sales"."fct_orders";
-- epoch_seconds
SELECT max((extract(DAY FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 86400 + extract(HOUR FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 3600 + extract(MINUTE FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 60 + extract(SECOND FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')))) FROM "sales"."fct_orders";
-- seconds_between
SELECT max((extract(DAY FROM (sys_extract_utc(CAST("loaded_at" AS timestamp with time zone)) - sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)))) * 86400 + extract(HOUR FROM (sys_extract_utc(CAST("loaded_at" AS timestamp with time zone)) - sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)))) * 3600 + extract(MINUTE FROM (sys_extract_utc(CAST("loaded_at" AS timestamp with time zone)) - sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)))) * 60 + extract(SECOND FROM (sys_extract_utc(CAST("loaded_at" AS timestamp with time zone)) - sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)))))) FROM "sales"."fct_orders";
-- time_bucket
SELECT CAST(floor((extract(DAY FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 86400 + extract(HOUR FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 3600 + extract(MINUTE FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 60 + extract(SECOND FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00'))) / 3600) * 3600 AS number(19)) AS bucket, count(*) AS n FROM "sales"."fct_orders" GROUP BY CAST(floor((extract(DAY FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 86400 + extract(HOUR FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 3600 + extract(MINUTE FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00')) * 60 + extract(SECOND FROM (sys_extract_utc(CAST("ordered_at" AS timestamp with time zone)) - TIMESTAMP '1970-01-01 00:00:00'))) / 3600) * 3600 AS number(19));
-- at_or_after
SELECT count(CASE WHEN "ordered_at" >= TIMESTAMP '2026-01-02 03:04:05.678 +00:00' THEN 1 END) FROM "sales"."fct_orders";
-- before
SELECT count(CASE WHEN "ordered_at" < TIMESTAMP '2026-01-02 03:04:05.678 +00:00' THEN 1 END) FROM "sales"."fct_orders";
-- timestamp_literal
SELECT count(CASE WHEN "ordered_at" = TIMESTAMP '2026-01-02 03:04:05.678 +00:00' THEN 1 END) FROM "sales"."fct_orders";
-- limited
SELECT "amount" FROM "sales"."fct_orders" FETCH FIRST 5 ROWS ONLY;
-- limited distinct
SELECT DISTINCT "amount" FROM "sales"."fct_orders" FETCH FIRST 5 ROWS ONLY;
-- without_rows
SELECT "amount" FROM "sales"."fct_orders" FETCH FIRST 0 ROWS ONLY;
-- parameter
SELECT "amount" FROM "sales"."fct_orders" WHERE "amount" = ?;
-- tables
SELECT o.owner, o.object_name, CASE o.object_type WHEN 'TABLE' THEN 'table' ELSE 'view' END, CASE WHEN o.owner = sys_context('USERENV', 'CURRENT_SCHEMA') THEN 1 ELSE 0 END FROM all_objects o WHERE o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') AND o.owner NOT IN (SELECT u.username FROM all_users u WHERE u.oracle_maintained = 'Y') ORDER BY o.owner, o.object_name;
-- columns_of
SELECT c.column_name, c.data_type FROM all_tab_columns c WHERE c.owner = sys_context('USERENV', 'CURRENT_SCHEMA') AND c.table_name = 'it''s' ORDER BY c.column_id;
-- kind_of
SELECT CASE o.object_type WHEN 'TABLE' THEN 'table' ELSE 'view' END FROM all_objects o WHERE o.owner = sys_context('USERENV', 'CURRENT_SCHEMA') AND o.object_name = 'it''s' AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW');
-- unique_indexes_of
SELECT i.index_name, k.column_name, k.column_position, CASE WHEN c.nullable = 'N' THEN 1 ELSE 0 END FROM all_indexes i JOIN all_ind_columns k ON k.index_owner = i.owner AND k.index_name = i.index_name JOIN all_tab_columns c ON c.owner = i.table_owner AND c.table_name = i.table_name AND c.column_name = k.column_name WHERE i.table_owner = sys_context('USERENV', 'CURRENT_SCHEMA') AND i.table_name = 'it''s' AND i.uniqueness = 'UNIQUE' AND i.status = 'VALID' AND i.index_type = 'NORMAL' ORDER BY i.index_name, k.column_position;
-- row_estimate
SELECT t.num_rows FROM all_tables t WHERE t.owner = sys_context('USERENV', 'CURRENT_SCHEMA') AND t.table_name = 'it''s';
-- columns_of
SELECT c.column_name, c.data_type FROM all_tab_columns c WHERE c.owner = 'sales' AND c.table_name = 'fct_orders' ORDER BY c.column_id;
-- kind_of
SELECT CASE o.object_type WHEN 'TABLE' THEN 'table' ELSE 'view' END FROM all_objects o WHERE o.owner = 'sales' AND o.object_name = 'fct_orders' AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW');
-- unique_indexes_of
SELECT i.index_name, k.column_name, k.column_position, CASE WHEN c.nullable = 'N' THEN 1 ELSE 0 END FROM all_indexes i JOIN all_ind_columns k ON k.index_owner = i.owner AND k.index_name = i.index_name JOIN all_tab_columns c ON c.owner = i.table_owner AND c.table_name = i.table_name AND c.column_name = k.column_name WHERE i.table_owner = 'sales' AND i.table_name = 'fct_orders' AND i.uniqueness = 'UNIQUE' AND i.status = 'VALID' AND i.index_type = 'NORMAL' ORDER BY i.index_name, k.column_position;
-- row_estimate
SELECT t.num_rows FROM all_tables t WHERE t.owner = 'sales' AND t.table_name = 'fct_orders';

-- count_distinct
SELECT count(DISTINCT "e-mail") FROM "sales"."fct_orders";
-- approximate_count_distinct
SELECT APPROXIMATE count(DISTINCT "e-mail") FROM "sales"."fct_orders";
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
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN "amount" <> 0 THEN ceil(ln(abs(CAST("amount" AS double precision))) / 0.01) ELSE 0 END AS bin FROM "sales"."fct_orders") bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST("amount" AS double precision) AS v, row_number() OVER (ORDER BY CAST("amount" AS double precision)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST("amount" AS double precision) AS v, row_number() OVER (ORDER BY CAST("amount" AS double precision)) AS r, count(*) OVER () AS n FROM "sales"."fct_orders" WHERE "amount" IS NOT NULL AND ("amount" > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count(CASE WHEN "amount" < 0 THEN 1 END), count(CASE WHEN "amount" >= 0 AND "amount" < 9.99 THEN 1 END), count(CASE WHEN "amount" >= 9.99 AND "amount" <= 1000000 THEN 1 END), count(CASE WHEN "amount" > 1000000 THEN 1 END) FROM "sales"."fct_orders";
-- length
SELECT max(char_length("e-mail")) FROM "sales"."fct_orders";
-- lower
SELECT count(CASE WHEN lower("e-mail") = 'it''s \\ a ''text''
' THEN 1 END) FROM "sales"."fct_orders";
-- upper
SELECT count(CASE WHEN upper("e-mail") = 'GRÖẞE' THEN 1 END) FROM "sales"."fct_orders";
-- matches
SELECT count(CASE WHEN "e-mail" ~ '^[^@\\s]+@it''s\\.org$' THEN 1 END) FROM "sales"."fct_orders";
-- like
SELECT count(CASE WHEN "e-mail" LIKE '100!%!_[a]!!\\%' ESCAPE '!' THEN 1 END) FROM "sales"."fct_orders";
-- cast_text
SELECT min(CAST("amount" AS varchar(65535))) FROM "sales"."fct_orders";
-- cast_number
SELECT min(CAST("e-mail" AS double precision)) FROM "sales"."fct_orders";
-- odd names
SELECT count(CASE WHEN "größe in € `a` [b] 'c' d" IS NULL THEN 1 END) FROM "sales"."fct_orders";
-- epoch_seconds
SELECT max(extract(epoch FROM CAST("ordered_at" AS timestamptz))) FROM "sales"."fct_orders";
-- seconds_between
SELECT max((extract(epoch FROM CAST("loaded_at" AS timestamptz)) - extract(epoch FROM CAST("ordered_at" AS timestamptz)))) FROM "sales"."fct_orders";
-- time_bucket
SELECT CAST(floor(extract(epoch FROM CAST("ordered_at" AS timestamptz)) / 3600) * 3600 AS bigint) AS bucket, count(*) AS n FROM "sales"."fct_orders" GROUP BY CAST(floor(extract(epoch FROM CAST("ordered_at" AS timestamptz)) / 3600) * 3600 AS bigint);
-- at_or_after
SELECT count(CASE WHEN "ordered_at" >= TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00' THEN 1 END) FROM "sales"."fct_orders";
-- before
SELECT count(CASE WHEN "ordered_at" < TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00' THEN 1 END) FROM "sales"."fct_orders";
-- timestamp_literal
SELECT count(CASE WHEN "ordered_at" = TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05.678+00:00' THEN 1 END) FROM "sales"."fct_orders";
-- limited
SELECT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- limited distinct
SELECT DISTINCT "amount" FROM "sales"."fct_orders" LIMIT 5;
-- without_rows
SELECT "amount" FROM "sales"."fct_orders" LIMIT 0;
-- explain
EXPLAIN SELECT "amount" FROM "sales"."fct_orders";
-- parameter
SELECT "amount" FROM "sales"."fct_orders" WHERE "amount" = ?;
-- tables
SELECT table_schema, table_name, CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type LIKE '%EXTERNAL%' OR table_type LIKE '%FOREIGN%' THEN 'foreign' WHEN table_type LIKE '%TABLE%' OR table_type IN ('MANAGED', 'STREAMING_TABLE') THEN 'table' ELSE 'other' END, CASE WHEN table_schema = current_schema() THEN 1 ELSE 0 END FROM svv_tables WHERE lower(table_schema) <> 'information_schema' ORDER BY table_schema, table_name;
-- columns_of
SELECT column_name, data_type FROM svv_columns WHERE table_schema = current_schema() AND table_name = 'it''s' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type LIKE '%EXTERNAL%' OR table_type LIKE '%FOREIGN%' THEN 'foreign' WHEN table_type LIKE '%TABLE%' OR table_type IN ('MANAGED', 'STREAMING_TABLE') THEN 'table' ELSE 'other' END FROM svv_tables WHERE table_schema = current_schema() AND table_name = 'it''s';
-- row_estimate
SELECT CAST(tbl_rows AS double precision) FROM svv_table_info WHERE "schema" = current_schema() AND "table" = 'it''s';
-- columns_of
SELECT column_name, data_type FROM svv_columns WHERE table_schema = 'sales' AND table_name = 'fct_orders' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type LIKE '%EXTERNAL%' OR table_type LIKE '%FOREIGN%' THEN 'foreign' WHEN table_type LIKE '%TABLE%' OR table_type IN ('MANAGED', 'STREAMING_TABLE') THEN 'table' ELSE 'other' END FROM svv_tables WHERE table_schema = 'sales' AND table_name = 'fct_orders';
-- row_estimate
SELECT CAST(tbl_rows AS double precision) FROM svv_table_info WHERE "schema" = 'sales' AND "table" = 'fct_orders';

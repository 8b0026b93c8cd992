-- count_distinct
SELECT count(DISTINCT `e-mail`) FROM `sales`.`fct_orders`;
-- approximate_count_distinct
SELECT count(DISTINCT `e-mail`) FROM `sales`.`fct_orders`;
-- sum
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE sum(`amount`) END FROM `sales`.`fct_orders`;
-- average
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE avg(`amount`) END FROM `sales`.`fct_orders`;
-- stddev_pop
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE stddev_pop(`amount`) END FROM `sales`.`fct_orders`;
-- stddev_samp
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE stddev_samp(`amount`) END FROM `sales`.`fct_orders`;
-- var_pop
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE var_pop(`amount`) END FROM `sales`.`fct_orders`;
-- var_samp
SELECT CASE WHEN json_type(json_extract(json_array(min(`amount`)), '$[0]')) = 'STRING' THEN (SELECT 1 UNION ALL SELECT 2) ELSE var_samp(`amount`) END FROM `sales`.`fct_orders`;
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN `amount` <> 0 THEN ceil(ln(abs(CAST(`amount` AS double))) / 0.01) ELSE 0 END AS bin FROM `sales`.`fct_orders`) bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST(`amount` AS double) AS v, row_number() OVER (ORDER BY CAST(`amount` AS double)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST(`amount` AS double) AS v, row_number() OVER (ORDER BY CAST(`amount` AS double)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL AND (`amount` > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count(CASE WHEN `amount` < 0 THEN 1 END), count(CASE WHEN `amount` >= 0 AND `amount` < 9.99 THEN 1 END), count(CASE WHEN `amount` >= 9.99 AND `amount` <= 1000000 THEN 1 END), count(CASE WHEN `amount` > 1000000 THEN 1 END) FROM `sales`.`fct_orders`;
-- length
SELECT max(char_length(`e-mail`)) FROM `sales`.`fct_orders`;
-- lower
SELECT count(CASE WHEN lower(`e-mail`) = CONVERT(X'69742773205C2061202774657874270A' USING utf8mb4) THEN 1 END) FROM `sales`.`fct_orders`;
-- upper
SELECT count(CASE WHEN upper(`e-mail`) = 'GRÖẞE' THEN 1 END) FROM `sales`.`fct_orders`;
-- matches
SELECT count(CASE WHEN CONVERT(`e-mail` USING utf8mb4) COLLATE utf8mb4_bin REGEXP CONVERT(X'5E5B5E405C735D2B40697427735C2E6F726724' USING utf8mb4) THEN 1 END) FROM `sales`.`fct_orders`;
-- like
SELECT count(CASE WHEN `e-mail` LIKE CONVERT(X'3130302125215F5B615D21215C25' USING utf8mb4) ESCAPE '!' THEN 1 END) FROM `sales`.`fct_orders`;
-- cast_text
SELECT min(CAST(`amount` AS char)) FROM `sales`.`fct_orders`;
-- cast_number
SELECT min(CAST(`e-mail` AS double)) FROM `sales`.`fct_orders`;
-- odd names
SELECT count(CASE WHEN `größe in € ``a`` [b] 'c' d` IS NULL THEN 1 END) FROM `sales`.`fct_orders`;
-- epoch_seconds
SELECT max(timestampdiff(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', `ordered_at`) / 1e6) FROM `sales`.`fct_orders`;
-- seconds_between
SELECT max(timestampdiff(MICROSECOND, `ordered_at`, `loaded_at`) / 1e6) FROM `sales`.`fct_orders`;
-- time_bucket
SELECT CAST(floor((timestampdiff(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', `ordered_at`) / 1e6) / 3600) * 3600 AS signed) AS bucket, count(*) AS n FROM `sales`.`fct_orders` GROUP BY CAST(floor((timestampdiff(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', `ordered_at`) / 1e6) / 3600) * 3600 AS signed);
-- at_or_after
SELECT count(CASE WHEN `ordered_at` >= TIMESTAMP '2026-01-02 03:04:05.678' THEN 1 END) FROM `sales`.`fct_orders`;
-- before
SELECT count(CASE WHEN `ordered_at` < TIMESTAMP '2026-01-02 03:04:05.678' THEN 1 END) FROM `sales`.`fct_orders`;
-- timestamp_literal
SELECT count(CASE WHEN `ordered_at` = TIMESTAMP '2026-01-02 03:04:05.678' THEN 1 END) FROM `sales`.`fct_orders`;
-- limited
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- limited distinct
SELECT DISTINCT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- without_rows
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 0;
-- explain
EXPLAIN FORMAT=JSON SELECT `amount` FROM `sales`.`fct_orders`;
-- parameter
SELECT `amount` FROM `sales`.`fct_orders` WHERE `amount` = ?;
-- tables
SELECT table_schema, table_name, CASE WHEN table_type LIKE '%VIEW' THEN 'view' WHEN table_type <> 'BASE TABLE' THEN 'other' WHEN engine IN ('FEDERATED', 'CONNECT', 'SPIDER', 'S3', 'SPHINX') THEN 'foreign' ELSE 'table' END, CASE WHEN table_schema = database() THEN 1 ELSE 0 END FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY 1, 2;
-- columns_of
SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = database() AND table_name = 'it''s' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW' THEN 'view' WHEN table_type <> 'BASE TABLE' THEN 'other' WHEN engine IN ('FEDERATED', 'CONNECT', 'SPIDER', 'S3', 'SPHINX') THEN 'foreign' ELSE 'table' END FROM information_schema.tables WHERE table_schema = database() AND table_name = 'it''s';
-- unique_indexes_of
SELECT s.index_name, s.column_name, s.seq_in_index, CASE WHEN s.nullable = 'YES' THEN 0 ELSE 1 END FROM information_schema.statistics s WHERE s.table_schema = database() AND s.table_name = 'it''s' AND s.non_unique = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.statistics x WHERE x.table_schema = s.table_schema AND x.table_name = s.table_name AND x.index_name = s.index_name AND (x.column_name IS NULL OR x.sub_part IS NOT NULL)) ORDER BY 1, 3;
-- row_estimate
SELECT CAST(table_rows AS double) FROM information_schema.tables WHERE table_schema = database() AND table_name = 'it''s';
-- columns_of
SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = 'sales' AND table_name = 'fct_orders' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW' THEN 'view' WHEN table_type <> 'BASE TABLE' THEN 'other' WHEN engine IN ('FEDERATED', 'CONNECT', 'SPIDER', 'S3', 'SPHINX') THEN 'foreign' ELSE 'table' END FROM information_schema.tables WHERE table_schema = 'sales' AND table_name = 'fct_orders';
-- unique_indexes_of
SELECT s.index_name, s.column_name, s.seq_in_index, CASE WHEN s.nullable = 'YES' THEN 0 ELSE 1 END FROM information_schema.statistics s WHERE s.table_schema = 'sales' AND s.table_name = 'fct_orders' AND s.non_unique = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.statistics x WHERE x.table_schema = s.table_schema AND x.table_name = s.table_name AND x.index_name = s.index_name AND (x.column_name IS NULL OR x.sub_part IS NOT NULL)) ORDER BY 1, 3;
-- row_estimate
SELECT CAST(table_rows AS double) FROM information_schema.tables WHERE table_schema = 'sales' AND table_name = 'fct_orders';

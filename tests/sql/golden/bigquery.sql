-- count_distinct
SELECT count(DISTINCT `e-mail`) FROM `sales`.`fct_orders`;
-- approximate_count_distinct
SELECT approx_count_distinct(`e-mail`) FROM `sales`.`fct_orders`;
-- sum
SELECT sum(`amount`) FROM `sales`.`fct_orders`;
-- average
SELECT avg(`amount`) FROM `sales`.`fct_orders`;
-- stddev_pop
SELECT stddev_pop(`amount`) FROM `sales`.`fct_orders`;
-- stddev_samp
SELECT stddev_samp(`amount`) FROM `sales`.`fct_orders`;
-- var_pop
SELECT var_pop(`amount`) FROM `sales`.`fct_orders`;
-- var_samp
SELECT var_samp(`amount`) FROM `sales`.`fct_orders`;
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN `amount` <> 0 THEN ceil(ln(abs(CAST(`amount` AS float64))) / 0.01) ELSE 0 END AS bin FROM `sales`.`fct_orders`) bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST(`amount` AS float64) AS v, row_number() OVER (ORDER BY CAST(`amount` AS float64)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST(`amount` AS float64) AS v, row_number() OVER (ORDER BY CAST(`amount` AS float64)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL AND (`amount` > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT countif(`amount` < 0), countif(`amount` >= 0 AND `amount` < 9.99), countif(`amount` >= 9.99 AND `amount` <= 1000000), countif(`amount` > 1000000) FROM `sales`.`fct_orders`;
-- length
SELECT max(char_length(`e-mail`)) FROM `sales`.`fct_orders`;
-- lower
SELECT countif(lower(`e-mail`) = 'it\'s \\ a \'text\'\n') FROM `sales`.`fct_orders`;
-- upper
SELECT countif(upper(`e-mail`) = 'GRÖẞE') FROM `sales`.`fct_orders`;
-- matches
SELECT countif(regexp_contains(`e-mail`, '^[^@\\s]+@it\'s\\.org$')) FROM `sales`.`fct_orders`;
-- like
SELECT countif(`e-mail` LIKE '100\\%\\_[a]!\\\\%') FROM `sales`.`fct_orders`;
-- cast_text
SELECT min(CAST(`amount` AS string)) FROM `sales`.`fct_orders`;
-- cast_number
SELECT min(CAST(`e-mail` AS float64)) FROM `sales`.`fct_orders`;
-- odd names
SELECT countif(`größe in € \`a\` [b] 'c' d` IS NULL) FROM `sales`.`fct_orders`;
-- epoch_seconds
SELECT max(unix_micros(timestamp(`ordered_at`)) / 1e6) FROM `sales`.`fct_orders`;
-- seconds_between
SELECT max((unix_micros(timestamp(`loaded_at`)) / 1e6 - unix_micros(timestamp(`ordered_at`)) / 1e6)) FROM `sales`.`fct_orders`;
-- time_bucket
SELECT CAST(floor(unix_micros(timestamp(`ordered_at`)) / 1e6 / 3600) * 3600 AS int64) AS bucket, count(*) AS n FROM `sales`.`fct_orders` GROUP BY CAST(floor(unix_micros(timestamp(`ordered_at`)) / 1e6 / 3600) * 3600 AS int64);
-- at_or_after
SELECT countif(timestamp(`ordered_at`) >= TIMESTAMP '2026-01-02T03:04:05.678Z') FROM `sales`.`fct_orders`;
-- before
SELECT countif(timestamp(`ordered_at`) < TIMESTAMP '2026-01-02T03:04:05.678Z') FROM `sales`.`fct_orders`;
-- timestamp_literal
SELECT countif(`ordered_at` = TIMESTAMP '2026-01-02T03:04:05.678Z') FROM `sales`.`fct_orders`;
-- limited
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- limited distinct
SELECT DISTINCT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- without_rows
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 0;
-- parameter
SELECT `amount` FROM `sales`.`fct_orders` WHERE `amount` = ?;
-- tables
SELECT table_schema, table_name, CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type = 'EXTERNAL' THEN 'foreign' WHEN table_type IN ('BASE TABLE', 'CLONE', 'SNAPSHOT') THEN 'table' ELSE 'other' END, 1 FROM INFORMATION_SCHEMA.TABLES ORDER BY table_name;
-- columns_of
SELECT column_name, data_type FROM INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'it\'s' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type = 'EXTERNAL' THEN 'foreign' WHEN table_type IN ('BASE TABLE', 'CLONE', 'SNAPSHOT') THEN 'table' ELSE 'other' END FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'it\'s';
-- row_estimate
SELECT CAST(row_count AS float64) FROM __TABLES__ WHERE table_id = 'it\'s' AND type = 1;
-- columns_of
SELECT column_name, data_type FROM `sales`.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'fct_orders' ORDER BY ordinal_position;
-- kind_of
SELECT CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type = 'EXTERNAL' THEN 'foreign' WHEN table_type IN ('BASE TABLE', 'CLONE', 'SNAPSHOT') THEN 'table' ELSE 'other' END FROM `sales`.INFORMATION_SCHEMA.TABLES WHERE table_name = 'fct_orders';
-- row_estimate
SELECT CAST(row_count AS float64) FROM `sales`.__TABLES__ WHERE table_id = 'fct_orders' AND type = 1;

-- count_distinct
SELECT uniqExact(`e-mail`) FROM `sales`.`fct_orders`;
-- approximate_count_distinct
SELECT uniq(`e-mail`) FROM `sales`.`fct_orders`;
-- sum
SELECT sumOrNull(`amount`) FROM `sales`.`fct_orders`;
-- average
SELECT avgOrNull(`amount`) FROM `sales`.`fct_orders`;
-- stddev_pop
SELECT stddevPopStableOrNull(`amount`) FROM `sales`.`fct_orders`;
-- stddev_samp
SELECT if(count(`amount`) > 1, stddevSampStableOrNull(`amount`), NULL) FROM `sales`.`fct_orders`;
-- var_pop
SELECT varPopStableOrNull(`amount`) FROM `sales`.`fct_orders`;
-- var_samp
SELECT if(count(`amount`) > 1, varSampStableOrNull(`amount`), NULL) FROM `sales`.`fct_orders`;
-- percentile_cont
SELECT quantileExactInclusiveOrNull(0.95)(`amount`) FROM `sales`.`fct_orders`;
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN `amount` <> 0 THEN ceil(ln(abs(toFloat64(`amount`))) / 0.01) ELSE 0 END AS bin FROM `sales`.`fct_orders`) bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT toFloat64(`amount`) AS v, row_number() OVER (ORDER BY toFloat64(`amount`)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT toFloat64(`amount`) AS v, row_number() OVER (ORDER BY toFloat64(`amount`)) AS r, count(*) OVER () AS n FROM `sales`.`fct_orders` WHERE `amount` IS NOT NULL AND (`amount` > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT countIf(`amount` < 0), countIf(`amount` >= 0 AND `amount` < 9.99), countIf(`amount` >= 9.99 AND `amount` <= 1000000), countIf(`amount` > 1000000) FROM `sales`.`fct_orders`;
-- length
SELECT max(lengthUTF8(`e-mail`)) FROM `sales`.`fct_orders`;
-- lower
SELECT countIf(lowerUTF8(`e-mail`) = 'it\'s \\ a \'text\'\n') FROM `sales`.`fct_orders`;
-- upper
SELECT countIf(upperUTF8(`e-mail`) = 'GRÖẞE') FROM `sales`.`fct_orders`;
-- matches
SELECT countIf(match(`e-mail`, '^[^@\\s]+@it\'s\\.org$')) FROM `sales`.`fct_orders`;
-- like
SELECT countIf(`e-mail` LIKE '100\\%\\_[a]!\\\\%') FROM `sales`.`fct_orders`;
-- cast_text
SELECT min(toString(`amount`)) FROM `sales`.`fct_orders`;
-- cast_number
SELECT min(toFloat64(`e-mail`)) FROM `sales`.`fct_orders`;
-- odd names
SELECT countIf(`größe in € \`a\` [b] 'c' d` IS NULL) FROM `sales`.`fct_orders`;
-- epoch_seconds
SELECT max(toUnixTimestamp64Micro(toDateTime64(`ordered_at`, 6, 'UTC')) / 1e6) FROM `sales`.`fct_orders`;
-- seconds_between
SELECT max((toUnixTimestamp64Micro(toDateTime64(`loaded_at`, 6, 'UTC')) / 1e6 - toUnixTimestamp64Micro(toDateTime64(`ordered_at`, 6, 'UTC')) / 1e6)) FROM `sales`.`fct_orders`;
-- time_bucket
SELECT toInt64(floor(toUnixTimestamp64Micro(toDateTime64(`ordered_at`, 6, 'UTC')) / 1e6 / 3600) * 3600) AS bucket, count(*) AS n FROM `sales`.`fct_orders` GROUP BY toInt64(floor(toUnixTimestamp64Micro(toDateTime64(`ordered_at`, 6, 'UTC')) / 1e6 / 3600) * 3600);
-- at_or_after
SELECT countIf(`ordered_at` >= toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC')) FROM `sales`.`fct_orders`;
-- before
SELECT countIf(`ordered_at` < toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC')) FROM `sales`.`fct_orders`;
-- timestamp_literal
SELECT countIf(`ordered_at` = toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC')) FROM `sales`.`fct_orders`;
-- limited
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- limited distinct
SELECT DISTINCT `amount` FROM `sales`.`fct_orders` LIMIT 5;
-- without_rows
SELECT `amount` FROM `sales`.`fct_orders` LIMIT 0;
-- explain
EXPLAIN ESTIMATE SELECT `amount` FROM `sales`.`fct_orders`;
-- parameter
SELECT `amount` FROM `sales`.`fct_orders` WHERE `amount` = ?;
-- tables
SELECT database, name, CASE WHEN engine LIKE '%View' THEN 'view' WHEN engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', 'StripeLog', 'Memory', 'Null', 'Buffer', 'Distributed', 'Dictionary', 'Join', 'Set') THEN 'table' ELSE 'foreign' END, CASE WHEN database = currentDatabase() THEN 1 ELSE 0 END FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') AND NOT is_temporary ORDER BY database, name;
-- columns_of
SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'it\'s' ORDER BY position;
-- kind_of
SELECT CASE WHEN engine LIKE '%View' THEN 'view' WHEN engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', 'StripeLog', 'Memory', 'Null', 'Buffer', 'Distributed', 'Dictionary', 'Join', 'Set') THEN 'table' ELSE 'foreign' END FROM system.tables WHERE database = currentDatabase() AND name = 'it\'s';
-- row_estimate
SELECT toFloat64(total_rows) FROM system.tables WHERE database = currentDatabase() AND name = 'it\'s';
-- change_counters
SELECT toString(uuid), (SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'it\'s'), (SELECT toString(groupBitXor(cityHash64(name))) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'it\'s') FROM system.tables WHERE database = currentDatabase() AND name = 'it\'s' AND engine LIKE '%MergeTree';
-- columns_of
SELECT name, type FROM system.columns WHERE database = 'sales' AND table = 'fct_orders' ORDER BY position;
-- kind_of
SELECT CASE WHEN engine LIKE '%View' THEN 'view' WHEN engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', 'StripeLog', 'Memory', 'Null', 'Buffer', 'Distributed', 'Dictionary', 'Join', 'Set') THEN 'table' ELSE 'foreign' END FROM system.tables WHERE database = 'sales' AND name = 'fct_orders';
-- row_estimate
SELECT toFloat64(total_rows) FROM system.tables WHERE database = 'sales' AND name = 'fct_orders';
-- change_counters
SELECT toString(uuid), (SELECT count() FROM system.parts WHERE active AND database = 'sales' AND table = 'fct_orders'), (SELECT toString(groupBitXor(cityHash64(name))) FROM system.parts WHERE active AND database = 'sales' AND table = 'fct_orders') FROM system.tables WHERE database = 'sales' AND name = 'fct_orders' AND engine LIKE '%MergeTree';

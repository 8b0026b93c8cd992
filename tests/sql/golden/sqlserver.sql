-- count_distinct
SELECT count_big(DISTINCT [e-mail]) FROM [sales].[fct_orders];
-- approximate_count_distinct
SELECT approx_count_distinct([e-mail]) FROM [sales].[fct_orders];
-- sum
SELECT sum(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- average
SELECT avg(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- stddev_pop
SELECT stdevp(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- stddev_samp
SELECT stdev(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- var_pop
SELECT varp(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- var_samp
SELECT var(CAST([amount] AS float)) FROM [sales].[fct_orders];
-- log_bin
SELECT bin, count(*) FROM (SELECT CASE WHEN [amount] <> 0 THEN ceiling(log(abs(CAST([amount] AS float))) / 0.01) ELSE 0 END AS bin FROM [sales].[fct_orders]) bins GROUP BY bin;
-- percentile_query continuous
WITH ordered AS (SELECT CAST([amount] AS float) AS v, row_number() OVER (ORDER BY CAST([amount] AS float)) AS r, count(*) OVER () AS n FROM [sales].[fct_orders] WHERE [amount] IS NOT NULL) SELECT sum(v * (1 - abs(r - 1 - 0.95 * (n - 1)))) AS percentile FROM ordered WHERE abs(r - 1 - 0.95 * (n - 1)) < 1;
-- percentile_query discrete
WITH ordered AS (SELECT CAST([amount] AS float) AS v, row_number() OVER (ORDER BY CAST([amount] AS float)) AS r, count(*) OVER () AS n FROM [sales].[fct_orders] WHERE [amount] IS NOT NULL AND ([amount] > 0)) SELECT min(v) AS percentile FROM ordered WHERE r >= 0.5 * n;
-- histogram
SELECT count_big(CASE WHEN [amount] < 0 THEN 1 END), count_big(CASE WHEN [amount] >= 0 AND [amount] < 9.99 THEN 1 END), count_big(CASE WHEN [amount] >= 9.99 AND [amount] <= 1000000 THEN 1 END), count_big(CASE WHEN [amount] > 1000000 THEN 1 END) FROM [sales].[fct_orders];
-- length
SELECT max((len(CAST([e-mail] AS nvarchar(max)) + N'.') - 1)) FROM [sales].[fct_orders];
-- lower
SELECT count_big(CASE WHEN lower([e-mail]) = N'it''s \ a ''text''
' THEN 1 END) FROM [sales].[fct_orders];
-- upper
SELECT count_big(CASE WHEN upper([e-mail]) = N'GRÖẞE' THEN 1 END) FROM [sales].[fct_orders];
-- like
SELECT count_big(CASE WHEN [e-mail] LIKE N'100!%!_![a]!!\%' ESCAPE '!' THEN 1 END) FROM [sales].[fct_orders];
-- cast_text
SELECT min(CAST([amount] AS nvarchar(max))) FROM [sales].[fct_orders];
-- cast_number
SELECT min(CAST([e-mail] AS float)) FROM [sales].[fct_orders];
-- odd names
SELECT count_big(CASE WHEN [größe in € `a` [b]] 'c' d] IS NULL THEN 1 END) FROM [sales].[fct_orders];
-- epoch_seconds
SELECT max(datediff_big(microsecond, CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3)), [ordered_at]) / 1e6) FROM [sales].[fct_orders];
-- seconds_between
SELECT max(datediff_big(microsecond, [ordered_at], [loaded_at]) / 1e6) FROM [sales].[fct_orders];
-- time_bucket
SELECT CAST(floor(datediff_big(microsecond, CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3)), [ordered_at]) / 1e6 / 3600) * 3600 AS bigint) AS bucket, count(*) AS n FROM [sales].[fct_orders] GROUP BY CAST(floor(datediff_big(microsecond, CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3)), [ordered_at]) / 1e6 / 3600) * 3600 AS bigint);
-- at_or_after
SELECT count_big(CASE WHEN [ordered_at] >= CAST('2026-01-02T03:04:05.678Z' AS datetimeoffset(3)) THEN 1 END) FROM [sales].[fct_orders];
-- before
SELECT count_big(CASE WHEN [ordered_at] < CAST('2026-01-02T03:04:05.678Z' AS datetimeoffset(3)) THEN 1 END) FROM [sales].[fct_orders];
-- timestamp_literal
SELECT count_big(CASE WHEN [ordered_at] = CAST('2026-01-02T03:04:05.678Z' AS datetimeoffset(3)) THEN 1 END) FROM [sales].[fct_orders];
-- limited
SELECT TOP (5) [amount] FROM [sales].[fct_orders];
-- limited distinct
SELECT DISTINCT TOP (5) [amount] FROM [sales].[fct_orders];
-- without_rows
SELECT TOP (0) [amount] FROM [sales].[fct_orders];
-- parameter
SELECT [amount] FROM [sales].[fct_orders] WHERE [amount] = ?;
-- tables
SELECT s.name, o.name, CASE WHEN o.type = 'V' THEN 'view' WHEN o.type <> 'U' THEN 'other' WHEN objectproperty(o.object_id, 'TableIsExternal') = 1 THEN 'foreign' ELSE 'table' END, CASE WHEN s.name = schema_name() THEN 1 ELSE 0 END FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 ORDER BY s.name, o.name;
-- columns_of
SELECT c.name, type_name(c.user_type_id) FROM sys.columns c WHERE c.object_id = object_id(N'[it''s]') ORDER BY c.column_id;
-- kind_of
SELECT CASE WHEN o.type = 'V' THEN 'view' WHEN o.type <> 'U' THEN 'other' WHEN objectproperty(o.object_id, 'TableIsExternal') = 1 THEN 'foreign' ELSE 'table' END FROM sys.objects o WHERE o.object_id = object_id(N'[it''s]');
-- unique_indexes_of
SELECT i.name, c.name, k.key_ordinal, CASE WHEN c.is_nullable = 1 THEN 0 ELSE 1 END FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id WHERE i.object_id = object_id(N'[it''s]') AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND k.is_included_column = 0 AND k.key_ordinal > 0 ORDER BY i.name, k.key_ordinal;
-- row_estimate
SELECT CAST(sum(p.rows) AS float) FROM sys.partitions p WHERE p.object_id = object_id(N'[it''s]') AND p.index_id IN (0, 1);
-- columns_of
SELECT c.name, type_name(c.user_type_id) FROM sys.columns c WHERE c.object_id = object_id(N'[sales].[fct_orders]') ORDER BY c.column_id;
-- kind_of
SELECT CASE WHEN o.type = 'V' THEN 'view' WHEN o.type <> 'U' THEN 'other' WHEN objectproperty(o.object_id, 'TableIsExternal') = 1 THEN 'foreign' ELSE 'table' END FROM sys.objects o WHERE o.object_id = object_id(N'[sales].[fct_orders]');
-- unique_indexes_of
SELECT i.name, c.name, k.key_ordinal, CASE WHEN c.is_nullable = 1 THEN 0 ELSE 1 END FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id WHERE i.object_id = object_id(N'[sales].[fct_orders]') AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND k.is_included_column = 0 AND k.key_ordinal > 0 ORDER BY i.name, k.key_ordinal;
-- row_estimate
SELECT CAST(sum(p.rows) AS float) FROM sys.partitions p WHERE p.object_id = object_id(N'[sales].[fct_orders]') AND p.index_id IN (0, 1);

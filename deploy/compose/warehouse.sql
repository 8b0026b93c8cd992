-- The tables that checks/shop.yml watches, with a day of orders.
CREATE TABLE fct_orders (
  order_id bigint PRIMARY KEY, customer_id bigint, amount numeric(10, 2) NOT NULL, loaded_at timestamptz NOT NULL);
CREATE TABLE fct_daily_revenue (day date PRIMARY KEY, revenue numeric(12, 2), loaded_at timestamptz NOT NULL);
INSERT INTO fct_orders SELECT n, n % 100, 10 + n % 90, now() - n * interval '1 minute' FROM generate_series(1, 1440) n;
INSERT INTO fct_daily_revenue SELECT current_date - n, 50000 + n, now() FROM generate_series(1, 30) n;

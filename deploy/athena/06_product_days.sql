-- Products by day of sale, under the name and in the category of the day's last sale.
CREATE OR REPLACE VIEW clearhouse_retail.product_days AS
SELECT
    sale_date,
    retailer,
    product_code,
    max(CASE WHEN age = 1 THEN product_name END) AS product_name,
    max(CASE WHEN age = 1 THEN category END) AS category,
    sum(quantity) AS net_quantity,
    sum(total_amount) AS net_amount
FROM (
    SELECT
        sale_lines.*,
        row_number() OVER (
            PARTITION BY sale_date, retailer, product_code ORDER BY sold_at DESC, _record_id
        ) AS age
    FROM clearhouse_retail.sale_lines
) AS lines
GROUP BY sale_date, retailer, product_code;

-- Which five products of each retailer brought most, and what share of its net amount is that?
SELECT retailer, revenue_rank, product_name, category, net_quantity, net_amount,
    round(100 * net_amount_share, 1) AS percent_of_retailer
FROM (
    SELECT products.*,
        row_number() OVER (PARTITION BY retailer ORDER BY net_amount DESC, product_code)
            AS revenue_rank,
        CAST(net_amount AS double) / sum(net_amount) OVER (PARTITION BY retailer)
            AS net_amount_share
    FROM (
        SELECT retailer, product_code, max_by(product_name, sale_date) AS product_name,
            max_by(category, sale_date) AS category, sum(net_quantity) AS net_quantity,
            sum(net_amount) AS net_amount
        FROM clearhouse_retail.product_days
        GROUP BY retailer, product_code
    ) AS products
) AS ranked
WHERE revenue_rank <= 5
ORDER BY retailer, revenue_rank;

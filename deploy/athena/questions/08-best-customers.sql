-- Who buys most, how often, and since when? Sales without a known customer are left out.
SELECT retailer, customer_id, min(sale_date) AS first_sale_on, count(DISTINCT sale_id) AS sales,
    sum(total_amount) AS net_amount
FROM clearhouse_retail.sale_lines
WHERE customer_id IS NOT NULL
GROUP BY retailer, customer_id
ORDER BY net_amount DESC, retailer, customer_id
LIMIT 20;

-- Who buys most, how often, and since when? Sales without a known customer are left out.
SELECT customers.retailer, customers.customer_id, customers.first_sale_on,
    count(DISTINCT sales.sale_id) AS sales, sum(sales.total_amount) AS net_amount
FROM marts.fact_sales AS sales
JOIN marts.dim_customer AS customers USING (customer_key)
WHERE sales.customer_key <> 0
GROUP BY customers.retailer, customers.customer_id, customers.first_sale_on
ORDER BY net_amount DESC, customers.retailer, customers.customer_id
LIMIT 20;

-- Which stores sell most, and how much of what they sell comes back?
SELECT stores.retailer, stores.store_id, sum(sales.total_amount) AS net_amount,
    round(100 * sum(sales.return_amount)
        / nullif(sum(sales.gross_amount - sales.discount_amount), 0), 2) AS percent_returned
FROM marts.fact_sales AS sales
JOIN marts.dim_store AS stores USING (store_key)
GROUP BY stores.retailer, stores.store_id
ORDER BY net_amount DESC, stores.retailer, stores.store_id;

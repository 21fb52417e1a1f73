-- Which stores sell most, and how much of what they sell comes back?
SELECT retailer, coalesce(store_id, 'unknown') AS store_id, sum(total_amount) AS net_amount,
    round(100 * CAST(sum(return_amount) AS double)
        / nullif(sum(gross_amount - discount_amount), 0), 2) AS percent_returned
FROM clearhouse_retail.sale_lines
GROUP BY retailer, coalesce(store_id, 'unknown')
ORDER BY net_amount DESC, retailer, store_id;

-- What was sold under the name and in the category that a product had on the day?
SELECT history.retailer, history.product_code, history.product_name, history.category,
    history.valid_from, history.valid_to, sum(sales.net_amount) AS net_amount
FROM marts.mv_daily_sales_by_product AS sales
JOIN marts.dim_product_history AS history
    ON sales.product_key = history.product_key
    AND sales.sale_date >= history.valid_from
    AND (history.valid_to IS NULL OR sales.sale_date < history.valid_to)
GROUP BY history.retailer, history.product_code, history.product_name, history.category,
    history.valid_from, history.valid_to
ORDER BY history.retailer, history.product_code, history.valid_from;

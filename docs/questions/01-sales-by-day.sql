-- How much did each retailer sell on each day, and what of it was discounted and returned?
SELECT sale_date, retailer, gross_amount, discount_amount, return_amount, net_amount
FROM marts.mv_daily_sales_summary
ORDER BY sale_date, retailer;

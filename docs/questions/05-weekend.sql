-- How much more is sold on a day of the weekend than on a working day?
SELECT sales.retailer, dates.is_weekend, count(DISTINCT sales.sale_date) AS days,
    round(sum(sales.net_amount) / count(DISTINCT sales.sale_date), 2) AS net_amount_a_day
FROM marts.mv_daily_sales_summary AS sales
JOIN marts.dim_date AS dates ON sales.sale_date = dates.date_day
GROUP BY sales.retailer, dates.is_weekend
ORDER BY sales.retailer, dates.is_weekend;

-- How much more is sold on a day of the weekend than on a working day?
SELECT retailer, day_of_week(sale_date) IN (6, 7) AS is_weekend, count(DISTINCT sale_date) AS days,
    round(sum(total_amount) / count(DISTINCT sale_date), 2) AS net_amount_a_day
FROM clearhouse_retail.sale_lines
GROUP BY retailer, day_of_week(sale_date) IN (6, 7)
ORDER BY retailer, is_weekend;

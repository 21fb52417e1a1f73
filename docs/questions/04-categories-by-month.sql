-- Which categories sell in which month, over all retailers?
SELECT month_start, category, sum(net_quantity) AS net_quantity, sum(net_amount) AS net_amount
FROM marts.mv_monthly_sales_by_category
GROUP BY month_start, category
ORDER BY month_start, net_amount DESC, category;

-- Which categories sell in which month, over all retailers?
SELECT CAST(date_trunc('month', sale_date) AS date) AS month_start, category,
    sum(net_quantity) AS net_quantity, sum(net_amount) AS net_amount
FROM clearhouse_retail.product_days
GROUP BY CAST(date_trunc('month', sale_date) AS date), category
ORDER BY month_start, net_amount DESC, category;

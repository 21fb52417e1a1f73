-- How much did each retailer sell on each day, and what of it was discounted and returned?
SELECT sale_date, retailer, sum(gross_amount) AS gross_amount,
    sum(discount_amount) AS discount_amount, sum(return_amount) AS return_amount,
    sum(total_amount) AS net_amount
FROM clearhouse_retail.sale_lines
GROUP BY sale_date, retailer
ORDER BY sale_date, retailer;

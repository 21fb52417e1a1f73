-- How many lines has a sale on average, and how much is it worth?
SELECT retailer, count(*) AS sales, round(avg(lines), 2) AS lines_a_sale,
    round(sum(net_amount) / count(*), 2) AS net_amount_a_sale
FROM (
    SELECT retailer, sale_id, count(*) AS lines, sum(total_amount) AS net_amount
    FROM clearhouse_retail.sale_lines
    WHERE quantity > 0
    GROUP BY retailer, sale_id
) AS sales
GROUP BY retailer
ORDER BY retailer;

-- Which products come back most often?
SELECT lines.retailer, lines.product_code, names.product_name,
    -sum(CASE WHEN lines.quantity < 0 THEN lines.quantity ELSE 0 END) AS pieces_returned,
    sum(CASE WHEN lines.quantity > 0 THEN lines.quantity ELSE 0 END) AS pieces_sold,
    sum(lines.return_amount) AS return_amount
FROM clearhouse_retail.sale_lines AS lines
JOIN (
    SELECT retailer, product_code, max_by(product_name, sale_date) AS product_name
    FROM clearhouse_retail.product_days
    GROUP BY retailer, product_code
) AS names
    ON lines.retailer = names.retailer AND lines.product_code = names.product_code
GROUP BY lines.retailer, lines.product_code, names.product_name
HAVING sum(lines.return_amount) > 0
ORDER BY return_amount DESC, lines.retailer, lines.product_code
LIMIT 20;

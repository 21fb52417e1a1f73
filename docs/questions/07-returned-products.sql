-- Which products come back most often?
SELECT products.retailer, products.product_code, products.product_name,
    -sum(CASE WHEN sales.quantity < 0 THEN sales.quantity ELSE 0 END) AS pieces_returned,
    sum(CASE WHEN sales.quantity > 0 THEN sales.quantity ELSE 0 END) AS pieces_sold,
    sum(sales.return_amount) AS return_amount
FROM marts.fact_sales AS sales
JOIN marts.dim_product AS products USING (product_key)
GROUP BY products.retailer, products.product_code, products.product_name
HAVING sum(sales.return_amount) > 0
ORDER BY return_amount DESC, products.retailer, products.product_code
LIMIT 20;

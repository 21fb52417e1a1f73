-- Which five products of each retailer brought most, and what share of its net amount is that?
SELECT retailer, revenue_rank, product_name, category, net_quantity, net_amount,
    round(100 * net_amount_share, 1) AS percent_of_retailer
FROM marts.mv_top_products_by_revenue
WHERE revenue_rank <= 5
ORDER BY retailer, revenue_rank;

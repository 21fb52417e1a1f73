-- How did each week compare with the week before it?
SELECT iso_year, iso_week, retailer, net_amount, net_amount_change,
    round(100 * net_amount_change_share, 1) AS percent_changed
FROM marts.mv_weekly_sales_trends
ORDER BY week_start, retailer;

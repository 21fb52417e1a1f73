-- How did each week compare with the week before it?
WITH weeks AS (
    SELECT CAST(date_trunc('week', sale_date) AS date) AS week_start, retailer,
        sum(total_amount) AS net_amount
    FROM clearhouse_retail.sale_lines
    GROUP BY CAST(date_trunc('week', sale_date) AS date), retailer
)
SELECT year_of_week(weeks.week_start) AS iso_year, week_of_year(weeks.week_start) AS iso_week,
    weeks.retailer, weeks.net_amount, weeks.net_amount - previous.net_amount AS net_amount_change,
    CASE WHEN previous.net_amount > 0 THEN round(
        100 * (CAST(weeks.net_amount - previous.net_amount AS double) / previous.net_amount), 1
    ) END AS percent_changed
FROM weeks
LEFT JOIN weeks AS previous
    ON weeks.retailer = previous.retailer
    AND weeks.week_start = previous.week_start + INTERVAL '7' DAY
ORDER BY weeks.week_start, weeks.retailer;

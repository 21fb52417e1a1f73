-- What was sold under the name and in the category that a product had on the day?
WITH numbered AS (
    SELECT product_days.*,
        row_number() OVER (PARTITION BY retailer, product_code ORDER BY sale_date) AS day_number,
        row_number() OVER (
            PARTITION BY retailer, product_code, product_name, category ORDER BY sale_date
        ) AS day_of_version
    FROM clearhouse_retail.product_days
),
-- Days of sale in a row with the same attributes have the same difference of the two numbers.
versions AS (
    SELECT retailer, product_code, product_name, category, min(sale_date) AS valid_from,
        sum(net_amount) AS net_amount
    FROM numbered
    GROUP BY retailer, product_code, product_name, category, day_number - day_of_version
)
SELECT retailer, product_code, product_name, category, valid_from,
    lead(valid_from) OVER (PARTITION BY retailer, product_code ORDER BY valid_from) AS valid_to,
    net_amount
FROM versions
ORDER BY retailer, product_code, valid_from;

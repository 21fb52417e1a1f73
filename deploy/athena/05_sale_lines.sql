-- The newest lines with their parts: gross_amount - discount_amount - return_amount = total_amount.
-- retailer_1 states prices after discount. The price before it is worked out in whole cents, halves
-- up, as the marts do it; numbers of type bigint are divided without a rest.
CREATE OR REPLACE VIEW clearhouse_retail.sale_lines AS
SELECT
    priced.*,
    CASE WHEN quantity < 0 THEN DECIMAL '0.00' ELSE quantity * list_price END AS gross_amount,
    CASE WHEN quantity < 0 THEN DECIMAL '0.00' ELSE quantity * list_price - total_amount END
        AS discount_amount,
    CASE WHEN quantity < 0 THEN -total_amount ELSE DECIMAL '0.00' END AS return_amount
FROM (
    SELECT
        newest.*,
        CAST(sold_at AS date) AS sale_date,
        CASE
            WHEN points_left IN (0, 10000) THEN unit_price
            ELSE CAST(
                CAST(20000 * unit_price * 100 + points_left AS bigint)
                / CAST(2 * points_left AS bigint)
                AS decimal(15, 0)
            ) * DECIMAL '0.01'
        END AS list_price
    FROM (
        SELECT
            newest_sales.*,
            10000 - CAST(coalesce(discount_percentage, 0) * 100 AS bigint) AS points_left
        FROM clearhouse_retail.newest_sales
    ) AS newest
) AS priced;

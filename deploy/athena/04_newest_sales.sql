-- Each line of a sale once, in its newest version. A corrected sale comes again under the same id,
-- later on the day or on a later day. A version counts from the day its bytes first arrived: what
-- arrives again brings nothing new, so an old version can't undo the correction that came between.
CREATE OR REPLACE VIEW clearhouse_retail.newest_sales AS
SELECT *
FROM (
    SELECT
        first_arrivals.*,
        row_number() OVER (
            PARTITION BY retailer, _record_key ORDER BY first_arrived_on DESC, _book_date
        ) AS version_age
    FROM (
        SELECT
            last_of_day.*,
            min(_book_date) OVER (PARTITION BY retailer, _record_key, _record_id)
                AS first_arrived_on
        FROM (
            SELECT
                sales.*,
                row_number() OVER (
                    PARTITION BY retailer, _record_key, _book_date
                    ORDER BY _object_version DESC, _line DESC
                ) AS age_in_day
            FROM clearhouse_retail.sales
        ) AS last_of_day
        WHERE age_in_day = 1
    ) AS first_arrivals
) AS versions
WHERE version_age = 1;

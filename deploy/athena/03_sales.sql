-- Made from contracts/retail/sales.yaml by scripts/make_athena.py; not edited by hand.
CREATE EXTERNAL TABLE IF NOT EXISTS clearhouse_retail.sales (
    sale_id string COMMENT 'The retailer’s id of the sale. A corrected sale comes again under the same id.',
    sold_at timestamp COMMENT 'When it was sold, in the retailer’s own time zone.',
    customer_id string COMMENT 'Who bought, in the retailer’s own namespace; null for a sale without a known customer.',
    store_id string COMMENT 'Where it was sold, in the retailer’s own namespace.',
    product_code string COMMENT 'What was sold, in the retailer’s own namespace.',
    product_name string COMMENT 'The product’s name at the time of the sale.',
    category string COMMENT 'The product’s category, as the retailer calls it.',
    quantity bigint COMMENT 'Pieces sold; negative for a return.',
    unit_price decimal(15,2) COMMENT 'Price of a piece: at retailer_1 after discount, at retailer_2 without tax, at retailer_3 without shipping.',
    total_amount decimal(15,2) COMMENT 'Of the whole line, negative for a return: quantity by unit price. Without tax and without shipping.',
    currency string COMMENT 'ISO 4217 code. No answer states it.',
    discount_percentage decimal(5,2) COMMENT 'Discount in percent that unit_price is after; retailer_1 only.',
    payment_method string COMMENT 'How it was paid; retailer_1 only.',
    tax_amount decimal(15,2) COMMENT 'Tax on the line, beside total_amount; retailer_2 only.',
    loyalty_points_earned bigint COMMENT 'Loyalty points of the line; retailer_2 only.',
    promotion_code string COMMENT 'Promotion that applied, if one did; retailer_2 only.',
    sales_rep_id string COMMENT 'Who sold it; retailer_2 only.',
    shipping_cost decimal(15,2) COMMENT 'Shipping of the line, beside total_amount; retailer_3 only.',
    warranty_months bigint COMMENT 'Months of warranty; retailer_3 only.',
    return_policy_days bigint COMMENT 'Days within which it can be returned; retailer_3 only.',
    supplier_id string COMMENT 'Who supplied it; retailer_3 only.',
    extra string COMMENT 'Fields of the answer that the contract does not know, as a JSON text.',
    `_record_id` string COMMENT 'md5 of source, key and the record’s own bytes: equal for the same record again.',
    `_record_key` string COMMENT 'Natural key with the ordinal of the line: equal for versions of one line.',
    `_line` int COMMENT 'Place of the record in what the retailer answered.',
    `_object_version` int COMMENT 'Which answer for the day it came in, from 1.',
    `_book_date` date COMMENT 'The day that the record arrived.'
)
COMMENT 'Accepted lines of sales as they arrived, all versions, by the day of arrival'
PARTITIONED BY (retailer string, year int, month int, day int)
STORED AS PARQUET
LOCATION 's3://BUCKET/columnar/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.retailer.type' = 'enum',
    'projection.retailer.values' = 'retailer_1,retailer_2,retailer_3',
    'projection.year.type' = 'integer',
    'projection.year.range' = '2024,2030',
    'projection.year.digits' = '4',
    'projection.month.type' = 'integer',
    'projection.month.range' = '1,12',
    'projection.month.digits' = '2',
    'projection.day.type' = 'integer',
    'projection.day.range' = '1,31',
    'projection.day.digits' = '2',
    'storage.location.template' = 's3://BUCKET/columnar/${retailer}/year=${year}/month=${month}/day=${day}/'
);

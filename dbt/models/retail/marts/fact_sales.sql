{{ config(schema='marts', materialized='view', tags=['published']) }}

{{ visible_rows(ref('fct_retail_sales'), ref('int_retail_hidden_records'), 'retail.sales') }}

{# What statements tell apart of the types of entries: opening, closing, and all others. #}
{% macro kind_of_entry(entry_type) -%}
    case when {{ entry_type }} in ('opening', 'closing') then {{ entry_type }} else 'ordinary' end
{%- endmacro %}


{# The measures of a group of journal lines, as columns of a select. #}
{% macro line_measures() -%}
    count(*) as line_count,
    cast(sum(debit) as decimal(18, 2)) as debit,
    cast(sum(credit) as decimal(18, 2)) as credit,
    cast(sum(amount) as decimal(18, 2)) as amount
{%- endmacro %}


{# The sum of some amounts, 0 where there are none: money as the statements have it. #}
{% macro total(amount, condition='true') -%}
    cast(coalesce(sum(case when {{ condition }} then {{ amount }} end), 0) as decimal(18, 2))
{%- endmacro %}


{# The year of a fiscal period. #}
{% macro year_of(fiscal_period) -%}
    substr({{ fiscal_period }}, 1, 4)
{%- endmacro %}

{#
    Net volume sold of a product: the quantity of its revenue lines, of which a reversal takes off.

    lines: what the relation with product, quantity and account_class is called.
#}
{% macro volume_of(product, lines) -%}
    cast(
        coalesce(
            sum(
                case
                    when {{ lines }}.product = '{{ product }}'
                        and {{ lines }}.account_class = 'REVENUE' then {{ lines }}.quantity
                end
            ), 0
        ) as decimal(18, 3)
    )
{%- endmacro %}


{# Barrels of oil equivalent, to the thousandth: a barrel is 6 mcf of gas or 42 gallons of NGL. #}
{% macro boe(oil_bbl, gas_mcf, ngl_gal) -%}
    cast(
        {{ oil_bbl }} + {{ thousandths(
            half_up('cast((' ~ ngl_gal ~ ' + 7 * ' ~ gas_mcf ~ ') * 1000 as bigint)', '42')
        ) }} as decimal(18, 3)
    )
{%- endmacro %}


{# A whole number of thousandths as a decimal(18, 3). #}
{% macro thousandths(value) -%}
    cast(cast({{ value }} as decimal(18, 0)) * cast(0.001 as decimal(4, 3)) as decimal(18, 3))
{%- endmacro %}


{# Quotient of two whole numbers, the divisor above 0, rounded half away from zero. #}
{% macro half_up(dividend, divisor) -%}
    cast(sign({{ dividend }}) as bigint) * {{ whole_quotient(
        '2 * abs(' ~ dividend ~ ') + (' ~ divisor ~ ')', '2 * (' ~ divisor ~ ')'
    ) }}
{%- endmacro %}


{#
    Money for a unit of a quantity, a decimal(18, 4); null where there is no quantity. Whole cents over
    whole thousandths, so that both engines round alike.
#}
{% macro unit_price(amount, quantity) -%}
    cast(
        case
            when {{ quantity }} <> 0 then cast(
                cast(sign({{ quantity }}) as bigint) * {{ half_up(
                    'cast((' ~ amount ~ ') * 10000000 as bigint)',
                    'cast(abs(' ~ quantity ~ ') * 1000 as bigint)'
                ) }} as decimal(18, 0)
            ) * cast(0.0001 as decimal(5, 4))
        end as decimal(18, 4)
    )
{%- endmacro %}


{# Condition for the lines whose account stands under a caption of the income statement. #}
{% macro is_under(captions) -%}
    chart.caption in ('{{ captions | join("', '") }}')
{%- endmacro %}


{# What a well costs to run, by the captions of the income statement. #}
{% macro lifting_captions() -%}
    {{ return(['Lease operating expense', 'Workover expense']) }}
{%- endmacro %}

{% macro gathering_captions() -%}
    {{ return(['Gathering, transportation and processing']) }}
{%- endmacro %}

{% macro tax_captions() -%}
    {{ return(['Production and ad valorem taxes']) }}
{%- endmacro %}

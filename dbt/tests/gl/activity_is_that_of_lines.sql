-- The activity of the touched periods holds each line of these once: by account, as many lines, as much
-- money on each side, as much of each product.
with lines as (

    select
        fiscal_period,
        account_code,
        product,
        count(*) as line_count,
        sum(debit) as debit,
        sum(credit) as credit,
        sum(amount) as amount,
        sum(quantity) as quantity
    from (
        {{ visible_after(
            ref('int_gl_published'), ref('int_gl_hidden_records'), ref('int_gl_touched_keys'),
            'gl.lines'
        ) }}
    ) as visible
    where fiscal_period in (select fiscal_period from {{ ref('int_gl_touched_periods') }})
    group by fiscal_period, account_code, product

),

activity as (

    select
        fiscal_period,
        account_code,
        product,
        sum(line_count) as line_count,
        sum(debit) as debit,
        sum(credit) as credit,
        sum(amount) as amount,
        sum(quantity) as quantity
    from {{ ref('int_gl_activity') }}
    group by fiscal_period, account_code, product

)

{{ differences('activity', 'lines') }}

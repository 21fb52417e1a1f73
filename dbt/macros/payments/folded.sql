{#
    What is so of payments, as common table expressions, each made of those before it: for a query that
    uses several of them, so that the history of events is put in order once.

    wanted: names of those that the query uses: history, captures, refunds, disputes, payouts,
        payments, entries. What they are made of comes with them.
    events, settlements: relations of events and of settlement entries; unless given, what readers
        see.
#}
{% macro folded(wanted, events=none, settlements=none) -%}
    {%- set made_of = {
        'history': [],
        'captures': ['history'],
        'refunds': ['history', 'captures'],
        'disputes': ['history'],
        'payouts': ['history'],
        'payments': ['history', 'captures', 'refunds', 'disputes'],
        'entries': ['history', 'captures', 'refunds', 'disputes', 'payouts'],
    } -%}
    {%- set needed = wanted | list -%}
    {%- for name in wanted -%}
        {%- for before in made_of[name] if before not in needed -%}
            {%- set _ = needed.append(before) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set names = [] -%}
    {%- for name in made_of if name in needed -%}
        {%- set _ = names.append(name) -%}
    {%- endfor -%}
    {%- for name in names %}
    {{ name }} as (

        {% if name == 'history' -%}
        {{ events_of_payments(events or ref('payment_events')) }}
        {%- elif name == 'captures' -%}
        {{ captures_of('history') }}
        {%- elif name == 'refunds' -%}
        {{ refunds_of('history', 'captures') }}
        {%- elif name == 'disputes' -%}
        {{ disputes_of('history') }}
        {%- elif name == 'payouts' -%}
        {{ payouts_of('history') }}
        {%- elif name == 'payments' -%}
        {{ payments_of('history', 'captures', 'refunds', 'disputes') }}
        {%- else -%}
        {{ entries_with_subjects(
            settlements or ref('settlement_entries'), 'captures', 'refunds', 'disputes', 'payouts'
        ) }}
        {%- endif %}

    ){{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}

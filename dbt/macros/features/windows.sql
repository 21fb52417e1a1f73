{#
    Rolling windows of features. The one place that says how long they are and what "before" means.

    A window of n days holds what happened from n days before a decision, to the microsecond and
    inclusive, up to one microsecond before it: nothing of the same instant, and nothing later.
#}
{% macro feature_window_days() -%}
    {{ return([7, 30, 90]) }}
{%- endmacro %}


{% macro microseconds_of_days(days) -%}
    {{ return(days * 24 * 60 * 60 * 1000000) }}
{%- endmacro %}


{#
    Named windows over `partition` in the order of `microseconds`, for a WINDOW clause:
    before          everything before the decision
    last_<n>_days   the window of n days
    until_<n>_days  everything before the window of n days began
#}
{% macro feature_windows(partition, microseconds) -%}
    {%- set ordered = 'partition by ' ~ partition ~ ' order by ' ~ microseconds -%}
    before as ({{ ordered }} range between unbounded preceding and 1 preceding)
    {%- for days in feature_window_days() %}
    {%- set length = microseconds_of_days(days) %},
    last_{{ days }}_days as ({{ ordered }} range between {{ length }} preceding and 1 preceding),
    until_{{ days }}_days as ({{ ordered }} range between unbounded preceding and {{ length + 1 }} preceding)
    {%- endfor %}
{%- endmacro %}


{#
    How many different values there were in the window of n days, for two columns at once: the
    first in the upper half of a bigint, the second in the lower. Read them by
    `upper_count` and `lower_count`.

    Counting distinct values in a moving frame is slow where it is possible at all. So the rows of
    one value are seen as visits: a visit begins with a row that comes more than n days after the
    row before it (or is the first), and ends n days after a row that no other follows within n
    days. A value is in the window while a visit goes on, and no two visits of a value overlap, so
    the number of values is that of visits begun before the decision less that of visits ended by
    then. Both are plain sums; one sum for two columns halves the work.

    first, second: pairs of columns (microseconds since the same value's row before, until its next
    one; null where there is none).
#}
{% macro distinct_counts_in_window(days, first, second) -%}
    {%- set length = microseconds_of_days(days) -%}
    coalesce(sum({{ _two_flags(first[0], second[0], length) }}) over before, 0)
    - coalesce(sum({{ _two_flags(first[1], second[1], length) }}) over until_{{ days }}_days, 0)
{%- endmacro %}

{% macro _two_flags(upper_gap, lower_gap, length) -%}
    case when {{ upper_gap }} <= {{ length }} then 0 else 4294967296 end
    + case when {{ lower_gap }} <= {{ length }} then 0 else 1 end
{%- endmacro %}

{% macro upper_count(both) -%}
    cast({{ whole_quotient('cast(' ~ both ~ ' as bigint)', 4294967296) }} as integer)
{%- endmacro %}

{% macro lower_count(both) -%}
    cast(mod(cast({{ both }} as bigint), 4294967296) as integer)
{%- endmacro %}

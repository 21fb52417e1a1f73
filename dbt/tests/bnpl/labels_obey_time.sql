-- The labels of what this run built can be worked out, and come after the decisions they are about.
-- They are tested before anybody sees them, so that a row that breaks them fails its own day.
with labels as (

    {{ default_labels(
        '(select * from ' ~ ref('fct_bnpl_transactions')
        ~ ' where ' ~ within_scope('bnpl.transactions', 'entry') ~ ')'
    ) }}

)

select _record_id, decision_at, label_known_at, label_matures_at
from labels
where decision_at >= coalesce(label_known_at, missed_within_90_days_matures_at)
    or decision_at >= missed_within_90_days_matures_at
    or label_known_at > label_matures_at
    or (missed_within_90_days and not will_default)

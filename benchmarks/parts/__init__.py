"""The parts by name. Each is imported in the process that measures it, and only there."""

from importlib import import_module

from benchmarks.jobs import BenchmarkError, Part

PARTS = {
    "inputs": "benchmarks.parts.sandbox:inputs",
    "sandbox_make": "benchmarks.parts.sandbox:make",
    "sandbox_serve": "benchmarks.parts.sandbox:serve",
    "pipeline": "benchmarks.parts.pipeline:pipeline",
    "night": "benchmarks.parts.night:one_more",
    "night_phases": "benchmarks.parts.night:phases",
    "night_corrected": "benchmarks.parts.night:corrected",
    "close": "benchmarks.parts.close:day",
    "close_many": "benchmarks.parts.close:many",
    "proof_checked": "benchmarks.parts.close:checked",
    "star_load": "benchmarks.parts.star:load",
    "star_load_many": "benchmarks.parts.star:load_many",
    "star_one_more": "benchmarks.parts.star:one_more",
    "star_refresh": "benchmarks.parts.star:refresh",
    "star_rows": "benchmarks.parts.star:row_by_row",
    "gl_make": "benchmarks.parts.ledger:make",
    "gl_balance": "benchmarks.parts.ledger:balance",
    "gl_export_ndjson": "benchmarks.parts.ledger_service:export_ndjson",
    "gl_export_parquet": "benchmarks.parts.ledger_service:export_parquet",
    "gl_list_first": "benchmarks.parts.ledger_lists:first",
    "gl_list_deep": "benchmarks.parts.ledger_lists:deep",
    "gl_orm_first": "benchmarks.parts.ledger_lists:orm_first",
    "gl_orm_deep": "benchmarks.parts.ledger_lists:orm_deep",
    "gl_stream": "benchmarks.parts.ledger_service:stream",
    "payments_normalize": "benchmarks.parts.payments_normalizer:normalize",
    "payments_night": "benchmarks.parts.payments_night:one_more",
    "gateway_16": "benchmarks.parts.gateway:few_connections",
    "gateway_64": "benchmarks.parts.gateway:many_connections",
    "gateway_16_no_log": "benchmarks.parts.gateway:few_connections_no_log",
    "gateway_64_no_log": "benchmarks.parts.gateway:many_connections_no_log",
    "payments_record": "benchmarks.parts.payments_worker:in_process",
    "payments_record_http": "benchmarks.parts.payments_worker:over_http",
    "kafka_gateway_16": "benchmarks.parts.gateway_kafka:few_connections",
    "kafka_gateway_64": "benchmarks.parts.gateway_kafka:many_connections",
    "kafka_peer_16": "benchmarks.parts.gateway_kafka:peer_few_connections",
    "kafka_peer_64": "benchmarks.parts.gateway_kafka:peer_many_connections",
    "kafka_normalize": "benchmarks.parts.normalizer_kafka:one",
    "kafka_normalize_twice": "benchmarks.parts.normalizer_kafka:two",
    "temporal_workflows": "benchmarks.parts.workflows_temporal:drain",
    "clearhouse": "benchmarks.parts.ours:to_marts",
    "clearhouse_whole": "benchmarks.parts.ours:whole",
    "dlt_arrow": "benchmarks.parts.peer:arrow",
    "dlt_dicts": "benchmarks.parts.peer:dicts",
    "dlt_inserts": "benchmarks.parts.peer:inserts",
}


def load(name: str) -> Part:
    """The part of this name."""
    if name not in PARTS:
        raise BenchmarkError(f"There is no part {name!r}; the parts are {', '.join(PARTS)}.")
    module, _, function = PARTS[name].partition(":")
    part: Part = getattr(import_module(module), function)
    return part

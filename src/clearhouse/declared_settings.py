"""What can be set: every name with its type, its default and what it means."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from clearhouse.core.setting_types import RedisUrl, SourceUrl, StoreUrl, WebhookUrl, any_case
from clearhouse.core.urls import SecretUrl

_DAY_SECONDS = 86_400


class DeclaredSettings(BaseSettings):
    """Everything that can be set. Names in the environment are those below in capitals.

    An empty variable is one that is not set.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    clearhouse_home: Path = Field(Path(".clearhouse"), description="Folder of all local state.")
    landing_url: str = Field(
        "", description="Raw bytes by source and day: file://… or s3://bucket/prefix"
    )
    export_url: str = Field(
        "",
        description="Where each day's accepted records are written as JSON lines and Parquet: "
        "file://… or s3://bucket/prefix. Unset: nowhere.",
    )
    log_url: str = Field(
        "",
        description="Event log between services: sqlite:///…, kafka://host:port[,host:port] or "
        "kafka+ssl://…; a path is a prefix of all names on that server.",
    )
    log_max_bytes: int = Field(
        64 << 30, ge=1 << 20, description="That a local log may grow to. Then it is full."
    )
    kafka_username: str | None = Field(None, description="For SASL at Kafka. Unset: without.")
    kafka_password: SecretStr | None = Field(None, description="The same.")
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="The same."
    )
    kafka_ca_file: Path | None = Field(
        None, description="Certificates that sign Kafka's. Unset: those of the system."
    )
    kafka_partitions: int = Field(
        4, ge=1, le=512, description="Of each topic when it is made on Kafka."
    )
    database_url: StoreUrl = Field(
        "",
        description="Operational store and the books: sqlite:///…, or "
        "postgresql://user:password@host/database",
    )
    database_pool_size: int = Field(
        8,
        ge=1,
        le=200,
        description="Connections to PostgreSQL that each process of a service keeps; as many more "
        "are opened while those are in use.",
    )
    database_statement_seconds: float = Field(
        30.0,
        ge=0,
        le=_DAY_SECONDS,
        description="That a statement of a service may take at PostgreSQL; 0: any time.",
    )
    database_lock_seconds: float = Field(
        10.0,
        ge=0,
        le=_DAY_SECONDS,
        description="That a statement of a service waits for another; 0: any time.",
    )
    database_idle_seconds: float = Field(
        60.0,
        ge=0,
        le=_DAY_SECONDS,
        description="That a transaction of a service may stand still; 0: any time.",
    )
    workflows_url: str = Field(
        "inline://",
        description="Durable workflows: inline://, temporal://host:port/namespace or "
        "temporal+tls://…",
    )
    temporal_ca_file: Path | None = Field(
        None, description="Certificates that sign Temporal's. Unset: those of the system."
    )
    temporal_cert_file: Path | None = Field(
        None, description="Certificate by which Temporal knows its clients. Unset: none."
    )
    temporal_key_file: Path | None = Field(None, description="The key of that certificate.")
    catalog_url: str = Field("", description="Iceberg catalog of the bronze tables: sqlite:///…")
    engine_url: StoreUrl = Field(
        "",
        description="SQL engine for silver and gold: duckdb:///…, or "
        "postgresql://user:password@host/database",
    )
    engine_url_bnpl: StoreUrl = Field("", description="The same for bnpl alone.")
    engine_url_retail: StoreUrl = Field("", description="The same for retail alone.")
    engine_url_gl: StoreUrl = Field("", description="The same for gl alone.")
    engine_url_payments: StoreUrl = Field("", description="The same for payments alone.")

    bnpl_api_url: SourceUrl | None = Field(
        None, description="A simtom to pull from. Unset: the sandbox stands in, and says so."
    )
    bnpl_pattern: Annotated[Literal["auto", "day_type", "source"], BeforeValidator(any_case)] = (
        Field(
            "auto",
            description="How a day's volume is asked for: day_type with the sandbox, source with "
            "a real simtom.",
        )
    )
    bnpl_base_daily_volume: int = Field(
        1000, ge=1, le=10_000_000, description="base_daily_volume for the pattern `source`."
    )
    bnpl_seed: int = Field(42, ge=1, description="Seed that the source is asked for.")
    bnpl_concurrency: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Days asked for at the same time. Unset: 1 with BNPL_API_URL, as answers of a "
        "real simtom depend on each other; 4 with the sandbox.",
    )

    bnpl_ask_by: Annotated[Literal["day", "range"], BeforeValidator(any_case)] = Field(
        "day",
        description="One request a day, or one for the whole window (simtom answers the two with "
        "different records: keep to one).",
    )

    retailer_1_url: SourceUrl | None = Field(
        None, description="The first retailer's API. Unset: the sandbox stands in, and says so."
    )
    retailer_1_key: SecretStr | None = Field(None, description="Its bearer token.")
    retailer_2_url: SourceUrl | None = Field(None, description="The second retailer's API.")
    retailer_2_key: SecretStr | None = Field(None, description="Its X-API-Key.")
    retailer_3_url: SourceUrl | None = Field(None, description="The third retailer's API.")
    retailer_3_key: SecretStr | None = Field(None, description="Its apikey.")
    retail_seed: int = Field(42, ge=1, description="Seed of the sandbox's retailers.")

    gl_api_url: SourceUrl | None = Field(
        None, description="A general ledger's service. Unset: the sandbox stands in, and says so."
    )
    gl_api_key: SecretStr | None = Field(None, description="Its X-API-Key.")
    gl_seed: int = Field(42, ge=1, description="Seed of the sandbox's general ledger.")
    gl_scale: float = Field(
        1.0,
        gt=0,
        le=100,
        description="Size of the ledger that the service keeps: 1.0 is about 320,000 lines a year.",
    )
    rollback_days: int = Field(
        30,
        ge=0,
        le=36_500,
        description="For how long readers can be shown again what they saw. Then gold rows that no "
        "pointer names are deleted.",
    )
    historical_days: int = Field(
        365, ge=1, le=3660, description="Days of history that the service makes at its first start."
    )
    streaming_interval_seconds: float = Field(
        30.0, gt=0, le=3600, description="Between the new entries of the service."
    )
    gl_database_url: StoreUrl = Field(
        "",
        description="Where the service keeps its ledger: sqlite:///…, or "
        "postgresql://user:password@host/database",
    )
    payments_database_url: StoreUrl = Field(
        "",
        description="Where payments are recorded: sqlite:///…, or "
        "postgresql://user:password@host/database",
    )
    gl_service_keys: SecretStr | None = Field(
        None,
        description="Keys that the service takes, as key:scope+scope:USER-123,… with the scopes "
        "read, post, close, admin; who has one may be left out.",
    )
    gl_service_keys_file: Path = Field(
        Path(),
        description="File of such keys, one a line, where GL_SERVICE_KEYS is unset. It is made "
        "with one key where it is missing.",
    )
    gl_requests_per_minute: int = Field(
        60_000, ge=0, description="That the service answers to each user; 0: any number."
    )
    gl_original_paths: bool = Field(
        True, description="Whether the service has /get-gl and its like, which need no key."
    )
    redis_url: RedisUrl | None = Field(
        None,
        description="What processes of a service share: redis://… or rediss://…. Unset: each by "
        "itself.",
    )
    eia_base_url: SourceUrl | None = Field(
        None,
        description="Where EIA's API v2 is, such as https://api.eia.gov. Unset: the sandbox "
        "stands in, and says so.",
    )
    eia_api_key: SecretStr | None = Field(None, description="EIA's api_key.")

    stripe_api_url: SourceUrl = Field(
        SecretUrl.parse("https://api.stripe.com"),
        description="Stripe's API: the objects that thin events name, events and balances.",
    )
    stripe_api_key: SecretStr | None = Field(
        None, description="Its key. Unset: thin events are dead letters."
    )
    square_api_url: SourceUrl | None = Field(
        None, description="Square's API. Unset: its payouts are not itemized."
    )
    square_access_token: SecretStr | None = Field(None, description="Square's access token.")
    adyen_report_url: SourceUrl | None = Field(
        None, description="Where Adyen's reports are, as https://ca-live.adyen.com."
    )
    adyen_report_key: SecretStr | None = Field(None, description="X-API-Key of its report user.")
    paypal_api_url: SourceUrl | None = Field(
        None,
        description="PayPal's API, as https://api-m.paypal.com. Unset: fees of disputes there, and "
        "transfers to the bank, are not known.",
    )
    paypal_client_id: SecretStr | None = Field(
        None, description="Client id of PayPal's app, which may search transactions."
    )
    paypal_client_secret: SecretStr | None = Field(None, description="Its secret.")
    inference_url: SourceUrl | None = Field(
        None,
        description="The inference service, such as that of `clearhouse serve inference`. Unset: "
        "the scorecards in process.",
    )
    inference_requests_per_minute: int = Field(
        60_000,
        ge=0,
        description="That the inference service answers to each client; 0: any number.",
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="Stripe's signing secret, or two live ones separated by a comma."
    )
    square_webhook_key: SecretStr | None = Field(
        None, description="Square's signature key, or two live ones separated by a comma."
    )
    square_notification_url: str = Field(
        "", description="Where Square sends to, exactly as it is registered there."
    )
    adyen_hmac_key: SecretStr | None = Field(
        None, description="Adyen's hexadecimal HMAC key, or two live ones separated by a comma."
    )
    adyen_automatic_capture: bool = Field(
        False,
        description="Whether Adyen captures the account's payments as soon as they are authorized.",
    )
    paypal_webhook_id: SecretStr | None = Field(None, description="PayPal's id of the webhook.")
    paypal_certs_url: SourceUrl | None = Field(
        None, description="Asked for PayPal's certificates instead of PayPal: a proxy."
    )
    paypal_ca_file: Path | None = Field(
        None,
        description="PEM of the authorities trusted for PayPal's certificates. Unset: those that "
        "the system trusts.",
    )
    payment_accounts_file: Path | None = Field(
        None, description="JSON file with more accounts of payment providers."
    )

    slack_webhook_url: WebhookUrl | None = Field(
        None, description="Where a held day is reported, in Slack's incoming-webhook format."
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(any_case)
    ] = Field("warning", description="Least level of what is logged to standard error.")
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(any_case)] = Field(
        "auto", description="auto: readable in a terminal, JSON elsewhere."
    )

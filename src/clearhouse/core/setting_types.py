"""The types of settings that are URLs: read from text, and shown without their secrets."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr
from pydantic_settings import NoDecode

from clearhouse.core.urls import SecretUrl, UrlError


def any_case(value: Any) -> Any:
    """A word in lower case, without space around it."""
    return value.strip().lower() if isinstance(value, str) else value


def _source_url(value: Any) -> Any:
    return SecretUrl.parse(value) if isinstance(value, str) else value


def _store_url(value: Any) -> Any:
    is_of_server = isinstance(value, str) and value.strip().lower().startswith("postgresql:")
    return _server_url(value) if is_of_server else value


def _server_url(text: str) -> SecretUrl:
    url = SecretUrl.parse(text, ("postgresql",))
    if not urlsplit(url.public).path.strip("/"):
        raise UrlError("it names no database: write it as postgresql://user:password@host/database")
    return url


def _webhook_url(value: SecretStr) -> SecretStr:
    return SecretStr(SecretUrl.parse(value.get_secret_value()).for_client())


def _redis_url(value: SecretStr) -> SecretStr:
    SecretUrl.parse(value.get_secret_value(), ("redis", "rediss"))
    return value


SourceUrl = Annotated[InstanceOf[SecretUrl], NoDecode, BeforeValidator(_source_url)]
StoreUrl = Annotated[str | InstanceOf[SecretUrl], NoDecode, BeforeValidator(_store_url)]
"""A local store as text; one on a server as a URL that does not show its secrets."""
WebhookUrl = Annotated[SecretStr, AfterValidator(_webhook_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]

"""The accounts whose webhooks are taken, from the settings and a file of more of them.

The file is JSON: `{"accounts": [{"provider": "stripe", "name": "connect", "secrets": ["…"]}]}`,
where a provider needs them with `scheme`, `notification_url`, `webhook_id` and `automatic_capture`,
and with `of` where two endpoints tell of one account.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from pydantic import SecretStr

from clearhouse.core.errors import SettingsError
from clearhouse.payments.accounts import DEFAULT, Account, Scheme
from clearhouse.payments.event import Provider
from clearhouse.settings import Settings

_MOST_SECRETS = 2
_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
_HEXADECIMAL = re.compile("(?:[0-9A-Fa-f]{2})+")
_URL = re.compile(r"https?://[!-~]+")


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    provider: Provider
    name: str = DEFAULT
    secrets: list[str] = []
    scheme: Scheme = Scheme.STANDARD
    notification_url: str = ""
    webhook_id: str = ""
    automatic_capture: bool = False
    of: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    accounts: list[_Account]


def accounts_from(settings: Settings) -> list[Account]:
    """Every account that the settings name.

    Raises:
        SettingsError: one can't be used, in a sentence that holds no secret.
    """
    accounts = _of_variables(settings)
    if settings.payment_accounts_file is not None:
        accounts += _in_file(settings.payment_accounts_file)
    for account in accounts:
        _check(account)
    named = Counter((account.provider, account.name) for account in accounts)
    for (provider, name), times in named.items():
        if times > 1:
            raise SettingsError(
                f"The account {name} of {provider} is set {times} times: give each another name."
            )
    return accounts


def _of_variables(settings: Settings) -> list[Account]:
    accounts = []
    if settings.stripe_webhook_secret is not None:
        secrets = _secrets(settings.stripe_webhook_secret)
        accounts.append(Account(Provider.STRIPE, secrets=secrets))
    if settings.adyen_hmac_key is not None:
        secrets = _secrets(settings.adyen_hmac_key)
        at_once = settings.adyen_automatic_capture
        accounts.append(Account(Provider.ADYEN, secrets=secrets, automatic_capture=at_once))
    if settings.square_webhook_key is not None:
        url = settings.square_notification_url
        secrets = _secrets(settings.square_webhook_key)
        accounts.append(Account(Provider.SQUARE, secrets=secrets, notification_url=url))
    if settings.paypal_webhook_id is not None:
        webhook_id = settings.paypal_webhook_id.get_secret_value().strip()
        accounts.append(Account(Provider.PAYPAL, webhook_id=webhook_id))
    return accounts


def _secrets(given: SecretStr) -> tuple[SecretStr, ...]:
    return tuple(SecretStr(part.strip()) for part in given.get_secret_value().split(","))


def _in_file(path: Path) -> list[Account]:
    name = f"PAYMENT_ACCOUNTS_FILE={path}"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise SettingsError(f"{name} can't be read ({error.strerror}).") from None
    except msgspec.ValidationError as error:
        # What it says before this may be a value of the file.
        at = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "`$`"
        raise SettingsError(f"{name} has at {at} what no account has there.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SettingsError(f"{name} is not JSON.") from None
    return [
        Account(
            each.provider,
            each.name,
            tuple(SecretStr(secret) for secret in each.secrets),
            each.scheme,
            each.notification_url,
            each.webhook_id,
            each.automatic_capture,
            each.of,
        )
        for each in found.accounts
    ]


def _check(account: Account) -> None:
    wrong = _wrong(account, [secret.get_secret_value() for secret in account.secrets])
    if wrong:
        shown = account.name if _NAME.fullmatch(account.name) else "(its name)"
        raise SettingsError(f"The account {shown} of {account.provider} {wrong}.")


def _wrong(account: Account, secrets: Sequence[str]) -> str:
    """What is wrong with an account, without its secrets; "" for nothing."""
    of = account.provider
    rules = [
        (not _NAME.fullmatch(account.name), "is not named by letters, digits, _ and - alone"),
        (
            bool(account.of) and not _NAME.fullmatch(account.of),
            "is of an account that is not named by letters, digits, _ and - alone",
        ),
        (
            account.scheme is Scheme.ADYEN_HEADER and of is not Provider.ADYEN,
            "has a scheme that is Adyen's",
        ),
        (
            account.automatic_capture and of is not Provider.ADYEN,
            "has an automatic capture that is Adyen's",
        ),
        (of is Provider.PAYPAL and bool(secrets), "has secrets, and PayPal has a webhook id"),
        (of is Provider.PAYPAL and not account.webhook_id, "has no webhook id"),
        (of is not Provider.PAYPAL and not secrets, "has no secret"),
        (not all(secrets), "has an empty secret"),
        (len(secrets) > _MOST_SECRETS, f"has more than {_MOST_SECRETS} live secrets"),
        (
            of is Provider.ADYEN and not all(map(_HEXADECIMAL.fullmatch, secrets)),
            "has a key that is not hexadecimal, as Adyen's are",
        ),
        (
            of is Provider.SQUARE and not _URL.fullmatch(account.notification_url),
            "has no notification URL as it is registered at Square (SQUARE_NOTIFICATION_URL)",
        ),
    ]
    return next((sentence for is_wrong, sentence in rules if is_wrong), "")

"""Accounts from variables and a file, and what is said of one that can't be used."""

import json

import pytest

from clearhouse.core.errors import SettingsError
from clearhouse.payments.account_settings import accounts_from
from clearhouse.payments.signatures.certificates import certificates_of
from clearhouse.settings import load_settings

HEX = "44782DEF547AAA06"


def accounts(tmp_path, listed=None, **settings):
    if listed is not None:
        file = tmp_path / "accounts.json"
        file.write_text(listed if isinstance(listed, str) else json.dumps({"accounts": listed}))
        settings["payment_accounts_file"] = file
    return accounts_from(load_settings(clearhouse_home=tmp_path, **settings))


def shown(found):
    return [
        (each.provider, each.name, tuple(secret.get_secret_value() for secret in each.secrets))
        for each in found
    ]


def test_accounts_come_from_variables_and_from_a_file(tmp_path):
    found = accounts(
        tmp_path,
        [
            {"provider": "stripe", "name": "connect", "of": "main", "secrets": ["whsec_3"]},
            {"provider": "adyen", "name": "tokens", "scheme": "adyen_header", "secrets": [HEX]},
        ],
        stripe_webhook_secret="whsec_1, whsec_2",
        square_webhook_key="key",
        square_notification_url="https://pay.example/webhooks/square",
        adyen_hmac_key=HEX,
        adyen_automatic_capture=True,
        paypal_webhook_id="1JE4291016473214C",
    )
    assert shown(found) == [
        ("stripe", "default", ("whsec_1", "whsec_2")),
        ("adyen", "default", (HEX,)),
        ("square", "default", ("key",)),
        ("paypal", "default", ()),
        ("stripe", "connect", ("whsec_3",)),
        ("adyen", "tokens", (HEX,)),
    ]
    assert found[2].notification_url == "https://pay.example/webhooks/square"
    assert found[3].webhook_id == "1JE4291016473214C"
    assert found[5].scheme == "adyen_header"
    assert [each.told_of for each in found] == ["default"] * 4 + ["main", "tokens"]
    assert [each.automatic_capture for each in found] == [False, True, *[False] * 4]
    assert accounts(tmp_path) == []


STRIPE = {"provider": "stripe", "name": "x", "secrets": ["SECRET"]}


@pytest.mark.parametrize(
    ("listed", "settings", "told"),
    [
        (None, {"stripe_webhook_secret": "SECRET,SECRET2,SECRET3"}, "more than 2"),
        (None, {"stripe_webhook_secret": "SECRET,"}, "empty secret"),
        (None, {"adyen_hmac_key": "SECRET"}, "not hexadecimal"),
        (None, {"square_webhook_key": "SECRET"}, "SQUARE_NOTIFICATION_URL"),
        ([STRIPE, STRIPE], {}, "the account x of stripe is set 2 times"),
        ([STRIPE | {"secrets": []}], {}, "has no secret"),
        ([STRIPE | {"name": "SECRET SECRET"}], {}, "is not named by"),
        ([STRIPE | {"of": "SECRET SECRET"}], {}, "is of an account that is not named by"),
        ([STRIPE | {"scheme": "adyen_header"}], {}, "scheme"),
        ([STRIPE | {"automatic_capture": True}], {}, "automatic capture that is Adyen's"),
        ([STRIPE | {"provider": "paypal"}], {}, "has secrets"),
        ([{"provider": "paypal"}], {}, "no webhook id"),
        ([{"provider": "SECRET"}], {}, "$.accounts[0].provider"),
        ([STRIPE | {"secrets": "SECRET"}], {}, "$.accounts[0].secrets"),
        ([STRIPE | {"SECRET": "x"}], {}, "what no account has there"),
        ('{"accounts": [SECRET', {}, "not JSON"),
        ("\x00", {}, "not JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_without_secrets(tmp_path, listed, settings, told):
    with pytest.raises(SettingsError) as caught:
        accounts(tmp_path, listed, **settings)
    assert told.lower() in caught.value.message.lower()
    assert "SECRET" not in caught.value.message.replace("STRIPE_WEBHOOK_SECRET", "")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.json"):
        accounts(tmp_path, payment_accounts_file=tmp_path / "nowhere.json")
    with pytest.raises(SettingsError, match="PAYPAL_CA_FILE"):
        certificates_of(None, tmp_path / "nowhere.pem")

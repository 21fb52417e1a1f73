"""Families of failure codes: what providers call a refusal, and when it may be tried again.

Sources: Stripe's decline codes, Adyen's refusal reasons, Square's error codes, PayPal's processor
response codes and names. Card schemes fine who tries a hard decline again.
"""

import datetime as dt
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.inference.model import History, RetryPlan

MODEL = "retry-rules-2"


class Family(StrEnum):
    """Why something failed, as far as it says whether to try again."""

    FRAUD = "fraud"
    """Lost, stolen, suspected: never."""
    HARD = "hard"
    """The card, the account or the kind of payment will not do: never with the same card."""
    EXPIRED = "expired"
    """The customer has to give the new card."""
    AUTHENTICATION = "authentication"
    """The customer has to confirm, or to type again."""
    FUNDS = "funds"
    """There was no money or no limit left: there may be later."""
    SOFT = "soft"
    """The issuer gave no reason: it may think otherwise tomorrow."""
    NETWORK = "network"
    """It was not the card: soon."""
    UNKNOWN = "unknown"
    """A code that is in no list: as a soft one, but once."""


_CODES: Mapping[Family, str] = {
    Family.FRAUD: """
        fraudulent fraud fraud_cancelled acquirer_fraud stolen_card lost_card pickup_card
        merchant_blacklist security_violation suspected_fraud issuer_suspected_fraud
        highest_risk_level rule declined_by_risk_fraud_filters 9500 9510 9520 0580""",
    Family.HARD: """
        blocked_card restricted_card invalid_card_number incorrect_number invalid_number
        invalid_account account_closed card_not_supported currency_not_supported not_supported
        transaction_not_allowed transaction_not_permitted not_permitted service_not_allowed
        revocation_of_authorization revocation_of_all_authorizations revocation_of_auth
        stop_payment_order no_account debit_not_authorized bank_account_restricted
        invalid_or_restricted_card pan_failure invalid_amount invalid_currency
        allowable_pin_tries_exceeded pin_tries_exceeded pin_try_exceeded shopper_cancelled
        do_not_try_again previously_declined_do_not_retry testmode_decline
        transaction_blocked_by_adyen_to_prevent_excessive_retry_fees
        no_checking_account_available_on_card no_savings_account_available_on_card
        account_unusable buyer_refused_payment invalid_card invalid_card_data card_token_used
        unsupported_instrument_type bank_account_closed bank_account_unusable
        reattempt_not_permitted 5180 1330 5135 5140 5150 5700 5710 5910 9540 pprn pp06""",
    Family.EXPIRED: """
        expired_card card_expired expiration_failure invalid_expiry_year invalid_expiry_month
        invalid_expiration bad_expiration card_token_expired new_account_information_available
        5400 5950""",
    Family.AUTHENTICATION: """
        authentication_required 3d_not_authenticated incorrect_cvc invalid_cvc cvc_declined
        cvv_failure cvv2_failure incorrect_zip avs_declined address_verification_failure
        incorrect_pin invalid_pin online_or_offline_pin_required offline_pin_required
        card_requires_online_pin online_pin_required 3ds_authentication_error
        approve_with_id call_issuer card_declined_call_issuer card_declined_verification_required
        voice_failure referral
        payment_intent_authentication_failure chip_insertion_required 5110 00n7 5650""",
    Family.FUNDS: """
        insufficient_funds not_enough_balance card_velocity_exceeded transaction_limit
        withdrawal_count_limit_exceeded withdrawal_count_exceeded withdrawal_amount_exceeded
        payment_limit_exceeded 5120""",
    Family.SOFT: """
        do_not_honor generic_decline card_declined refused declined no_action_taken
        declined_non_generic instrument_declined duplicate_transaction cancelled
        cardholder_insufficient_permissions 0500 5100""",
    Family.NETWORK: """
        processing_error issuer_not_available issuer_unavailable try_again_later
        reenter_transaction acquirer_error temporary_error gateway_timeout rate_limit""",
}
_FAMILIES = {code: family for family, codes in _CODES.items() for code in codes.split()}

_DAY = dt.timedelta(days=1)
WAITS: Mapping[Family, tuple[dt.timedelta, ...]] = {
    Family.FUNDS: (_DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY),
    Family.SOFT: (_DAY, 3 * _DAY),
    Family.UNKNOWN: (_DAY,),
    Family.NETWORK: (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(hours=6)),
}
"""From each failure to the next try. What is not here is not tried again without the customer."""

_OF_THE_CUSTOMER = frozenset({Family.EXPIRED, Family.AUTHENTICATION})
_NOT_WORD = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def family_of(failure_code: str | None) -> Family | None:
    """The family of a provider's word for a failure, however it is written; None for no failure."""
    if failure_code is None:
        return None
    return _FAMILIES.get(_NOT_WORD.sub("_", failure_code.lower()).strip("_"), Family.UNKNOWN)


def retry_plan(event: PaymentEvent, history: History) -> RetryPlan:
    """When to try again what an event says has failed.

    Each failure before has used up one of the family's tries.
    """
    family = family_of(event.failure_code) or Family.UNKNOWN
    waits = WAITS.get(family, ())
    attempts, at = [], event.occurred_at
    for wait in waits[history.failures :]:
        at += wait
        attempts.append(at)
    if attempts:
        outcome = "soon" if family is Family.NETWORK else "later"
    else:
        outcome = "customer" if family in _OF_THE_CUSTOMER else "never"
    reasons = (f"failure_{family}", *(["tries_used_up"] if waits and not attempts else []))
    return RetryPlan(
        event_id=event.event_id,
        model=MODEL,
        outcome=outcome,
        reasons=reasons,
        attempts=tuple(attempts),
    )

"""The names of members whose values are ids, by provider. A number in them is no card's.

Names that the provider gives to texts of people (descriptions, names, metadata) are not among them.
"""

from collections.abc import Mapping

from clearhouse.payments.event import Provider

ID_FIELDS: Mapping[Provider, frozenset[str]] = {
    Provider.STRIPE: frozenset({
        "account", "acquirer_reference_number", "application_fee", "authorization_code",
        "balance_transaction", "charge", "connect_collected_transfer", "customer", "destination",
        "dispute", "failure_balance_transaction", "fingerprint", "id", "idempotency_key", "invoice",
        "latest_charge", "mandate", "network_transaction_id", "order", "original_payout",
        "payment_intent", "payment_method", "payout", "reversed_by", "setup_intent",
        "snapshot_event", "source", "source_transfer", "subscription", "transaction_id",
        "transfer", "transfer_group",
    }),
    Provider.SQUARE: frozenset({
        "application_id", "card_id", "customer_id", "dispute_id", "employee_id", "event_id",
        "fingerprint", "id", "location_id", "merchant_id", "order_id", "payment_id", "payout_id",
        "receipt_number", "reference_id", "refund_id", "refund_ids", "team_member_id",
        "terminal_checkout_id", "token", "version_token",
    }),
    Provider.ADYEN: frozenset({
        "acquirerReference", "arn", "authCode", "balanceAccountId", "chargebackReference",
        "disputePspReference", "eventId", "hmacSignature", "id", "merchantOrderReference",
        "merchantReference", "modificationMerchantReference", "networkTxReference",
        "originalReference", "paymentLinkId", "pspReference", "recurringDetailReference",
        "reference", "shopperReference", "storedPaymentMethodId", "terminalId", "tokenizationId",
        "transactionId", "recurring.recurringDetailReference", "recurring.shopperReference",
        "tokenization.storedPaymentMethodId", "tokenization.shopperReference",
        "bookingReference", "paymentPspReference", "originalPspReference",
    }),
    Provider.PAYPAL: frozenset({
        "account_id", "authorization_id", "batch_id", "buyer_transaction_id", "capture_id",
        "custom_id", "dispute_id", "id", "invoice_id", "invoice_number", "merchant_id", "order_id",
        "parent_payment", "payer_id", "payout_batch_id", "payout_item_id", "reference_id",
        "sale_id", "sender_batch_id", "sender_item_id", "seller_transaction_id", "transaction_id",
    }),
}  # fmt: skip

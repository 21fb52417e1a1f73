"""How payments live: what happens to one, drawn from its numbers, whoever its provider is."""

from contextlib import suppress

from clearhouse.sandbox.payments.draws import Draws
from clearhouse.sandbox.payments.facts import DAY, Capture
from clearhouse.sandbox.payments.payment import LifeOverError, Payment

DECLINES = (
    ("insufficient_funds", 40), ("do_not_honor", 18), ("expired_card", 12), ("lost_card", 6),
    ("incorrect_cvc", 14), ("try_again_later", 10),
)  # fmt: skip
_HOUR = 3_600


def live(payment: Payment, draws: Draws, *, can_defer: bool = True) -> None:
    """Let a payment live from its first attempt until it is over, or until now.

    Args:
        payment: that has just begun.
        draws: its numbers.
        can_defer: whether authorization and capture may be two things.
    """
    with suppress(LifeOverError):
        captured = _paid(payment, draws, can_defer=can_defer)
        if captured is not None:
            _afterwards(*captured, draws)


def _paid(payment: Payment, draws: Draws, *, can_defer: bool) -> tuple[Payment, Capture] | None:
    """Attempts until one succeeds; the payment and a capture of it, None where there is none."""
    amount = payment.amount()
    attempts = 1 + draws.chance(0.16) + draws.chance(0.05)
    for _ in range(attempts - 1):
        payment.fail(amount, draws.weighted(DECLINES))
        if draws.chance(0.3):
            return None
        payment.wait(30, 2 * DAY)
        payment = payment.again()
    if payment.pends:
        payment.pend(amount)
        payment.wait(_HOUR, 3 * DAY)
        if draws.chance(0.15):
            payment.fail(amount, "insufficient_funds")
            return None
    if payment.pends or not (can_defer and draws.chance(0.4)):
        return payment, payment.capture(amount, at_once=True)
    payment.authorize(amount)
    if draws.chance(0.14):
        expires = draws.chance(0.4)
        payment.wait(*((6 * DAY, 7 * DAY) if expires else (60, 2 * DAY)))
        payment.cancel(expired=expires)
        return None
    if not draws.chance(0.15):  # else in the same second
        payment.wait(5, 4 * DAY)
    if draws.chance(0.75):
        return payment, payment.capture(amount, at_once=False)
    part = payment.part(amount)
    capture = payment.capture(part, at_once=False)
    if part < amount and payment.captures_twice and draws.chance(0.4):
        payment.wait(60, DAY)
        payment.capture_more(capture, amount - part)
    elif part < amount:
        payment.release(amount - part)
    return payment, capture


def _afterwards(payment: Payment, capture: Capture, draws: Draws) -> None:
    """What happens to captured money."""
    roll = draws.uniform()
    if roll < 0.07:
        _refund_whole(payment, capture, draws)
    elif roll < 0.14:
        _refund_parts(payment, capture, draws)
    elif roll < 0.19:
        _dispute(payment, capture, draws)


def _refund_whole(payment: Payment, capture: Capture, draws: Draws) -> None:
    payment.wait(_HOUR, 10 * DAY)
    refund = payment.refund(capture, capture.amount, pends=draws.chance(0.4))
    if draws.chance(0.15):
        payment.wait(DAY, 4 * DAY)
        payment.undo(refund, "expired_or_canceled_card")


def _refund_parts(payment: Payment, capture: Capture, draws: Draws) -> None:
    left = capture.amount
    for _ in range(draws.between(1, 3)):
        payment.wait(_HOUR, 5 * DAY)
        amount = min(payment.part(left), left)
        refund = payment.refund(capture, amount, pends=draws.chance(0.2))
        if draws.chance(0.1):
            payment.wait(DAY, 2 * DAY)
            payment.undo(refund, "lost_or_stolen_card")
        if refund.status != "undone":  # at PayPal and Square it never is
            left -= amount
        if left <= 0:
            return


def _dispute(payment: Payment, capture: Capture, draws: Draws) -> None:
    """An inquiry, or a dispute that is won, lost, or still open; seldom with a second instance."""
    payment.wait(2 * DAY, 9 * DAY)
    amount = capture.amount if draws.chance(0.8) else payment.part(capture.amount)
    is_inquiry = draws.chance(0.25)
    dispute = payment.open_dispute(amount, is_inquiry=is_inquiry)
    if is_inquiry:
        payment.wait(DAY, 4 * DAY)
        payment.close(dispute, "closed")
        return
    if not draws.chance(0.3):
        payment.wait(1, _HOUR)
    payment.withdraw(dispute)
    payment.wait(DAY, 6 * DAY)
    if draws.chance(0.5):
        payment.close(dispute, "lost")
        return
    payment.reinstate(dispute)
    if payment.has_second_instance and draws.chance(0.5):
        payment.wait(DAY, 3 * DAY)
        payment.withdraw(dispute)
        payment.wait(DAY, 3 * DAY)
        if draws.chance(0.5):
            payment.close(dispute, "lost")
            return
        payment.reinstate(dispute)
    payment.wait(1, 60)
    payment.close(dispute, "won")

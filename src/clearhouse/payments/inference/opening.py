"""The models that the settings name."""

from clearhouse.payments.inference.client import Inference, InProcess
from clearhouse.settings import Settings


def inference_from(settings: Settings) -> Inference:
    """The models that the settings name: the service at INFERENCE_URL, or those in process."""
    url = settings.inference_url
    if not url:
        return InProcess()
    from clearhouse.payments.inference.over_http import OverHttp  # its libraries take a while

    return OverHttp(url.for_client())

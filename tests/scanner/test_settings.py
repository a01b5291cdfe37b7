"""The limits fit together, and the defaults are those that the README promises."""

import msgspec
import pytest

from scanner import settings
from scanner.settings import ScanSettings


def test_the_defaults_are_polite():
    choices = ScanSettings()
    assert choices.ports == (25, 465, 587)
    assert (choices.interval_s, choices.jobs, choices.provider_jobs) == (1.0, 500, 10)
    assert (choices.envelope, choices.allow_private) == (False, False)


def test_choices_survive_json_and_cannot_be_changed():
    choices = ScanSettings(ports=(25,), excluded_networks=("192.0.2.0/24",), interval_s=2.5)
    assert msgspec.json.decode(msgspec.json.encode(choices), type=ScanSettings) == choices
    with pytest.raises(AttributeError):
        choices.jobs = 1  # type: ignore[misc]


def test_a_session_has_time_for_its_steps_but_not_for_all_to_be_slow():
    steps = (settings.CONNECT_TIMEOUT_S, settings.GREETING_TIMEOUT_S, settings.REPLY_TIMEOUT_S)
    assert max(*steps, settings.HANDSHAKE_TIMEOUT_S) < settings.SESSION_TIMEOUT_S
    assert settings.QUIT_TIMEOUT_S < settings.REPLY_TIMEOUT_S


def test_the_greeting_may_take_as_long_as_postscreen_needs():
    assert settings.GREETING_TIMEOUT_S > 6


def test_what_is_kept_fits_into_what_is_read():
    assert settings.MAX_REPLY_LINE <= settings.MAX_REPLY_BYTES < settings.MAX_SESSION_BYTES
    assert settings.MAX_CHAIN_BYTES < settings.MAX_SESSION_BYTES
    assert settings.MAX_REPLY_LINE < settings.READ_SIZE

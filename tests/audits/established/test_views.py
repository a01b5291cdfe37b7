"""Endpoints and domains as rules' facts see them: what can be asked of them, and why not."""

from audits.established.views import Inapplicable, Missing
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked
from tests.audits.views_factory import domain_view, endpoint_view, silent_view


def test_a_server_that_speaks_tls_can_be_asked():
    view = endpoint_view(asked(GOOD))
    assert view.unanswered() is None
    assert (view.subject, view.port) == ("mx.example.org [192.0.2.1]:25", 25)


def test_a_server_without_starttls_has_no_tls_to_ask_about():
    assert isinstance(endpoint_view(asked(NO_TLS)).unanswered(), Inapplicable)


def test_a_silent_server_leaves_the_question_open_with_its_failure():
    trouble = endpoint_view(asked(SILENT)).unanswered()
    assert isinstance(trouble, Missing)
    assert "timeout" in trouble.why


def test_a_domain_has_the_time_of_its_latest_look():
    seen = asked(GOOD)
    assert domain_view(seen).at == seen.seen_at
    assert domain_view(seen).subject == "example.org"


def test_the_silent_view_has_one_endpoint_without_an_answer():
    assert [type(view.unanswered()) for view in silent_view().endpoint_views()] == [Missing]

"""The details behind the page: everything shared is written once, and no word can end the script element."""

import json

from audits.reports.details import Details, mend_of
from tests.audits.reports.report_factory import HOSTILE, baselines, few, healthy, judged


def details_of(names) -> bytes:
    details = Details(baselines())
    for domain in judged(names):
        details.take(domain)
    return details.json()


def test_it_is_json_that_can_end_no_element_and_keeps_every_word():
    encoded = details_of(few())
    assert b"<" not in encoded
    assert b"\xe2\x80\xa8" not in encoded
    read = json.loads(encoded)
    assert [domain["domain"] for domain in read["domains"]] == [*few()]
    assert any(HOSTILE in line for endpoint in read["endpoints"] for line in endpoint.get("transcript", ()))


def test_endpoints_and_requirements_stand_there_once():
    one = json.loads(details_of({"a.example": healthy(0)}))
    two = json.loads(details_of({"a.example": healthy(0), "b.example": healthy(0)}))
    assert len(two["endpoints"]) == len(one["endpoints"]) == 1
    assert two["requirements"] == one["requirements"]
    assert one["requirements"], "this server has something to object to"


def test_findings_name_their_requirement_and_passes_are_counted():
    read = json.loads(details_of({"a.example": healthy(1)}))
    (domain,) = read["domains"]
    assert domain["passed"] > 0
    for place, verdict, subject, evidence, *_ in domain["findings"]:
        assert read["verdicts"][verdict] != "pass"
        assert read["requirements"][place][0] in {baseline.head.id for baseline in baselines()}
        assert read["texts"][subject].partition(" ")[0].partition(":")[0].endswith(("a.example", "mx.example.org"))
        assert read["texts"][evidence]
    assert len(set(read["texts"])) == len(read["texts"])


def test_how_to_mend_comes_from_the_page_of_the_rule():
    assert mend_of("What.\n\nHow to mend it: set\nthis = that.") == "set this = that."
    assert mend_of("nothing") == ""

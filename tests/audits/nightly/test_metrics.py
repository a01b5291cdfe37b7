"""The metrics file: what Prometheus reads, whole or not at all."""

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from audits.nightly.metrics import metrics_text, write_metrics
from audits.nightly.news import TellError
from tests.audits.nightly.news_factory import loud, quiet


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_every_number():
    found = values(metrics_text(loud()))
    assert found["tlsaudit_domains", "MUST"] == 1
    assert found["tlsaudit_domains", "INCONCLUSIVE"] == 0
    assert found["tlsaudit_changes", "alarm"] == 1
    assert found["tlsaudit_gate_missed_domains",] == 1
    assert found["tlsaudit_expired_waivers",] == 1
    assert found["tlsaudit_baseline_domains", "rfc", "fail"] == 1
    assert found["tlsaudit_baseline_domains", "rfc", "warn"] == 0
    assert found["tlsaudit_first_certificate_expiry_seconds",] == loud().first_expiry.timestamp()
    assert found["tlsaudit_run_end_time_seconds",] - found["tlsaudit_run_start_time_seconds",] == 540


def test_a_quiet_night_has_the_same_series():
    same = msgspec.structs.replace(quiet(), baselines={"rfc": {"pass": 2}})
    quiet_names, loud_names = values(metrics_text(same)).keys(), values(metrics_text(loud())).keys()
    assert loud_names - quiet_names == {("tlsaudit_first_certificate_expiry_seconds",)}


def test_the_file_is_replaced(tmp_path):
    file = tmp_path / "tlsaudit.prom"
    write_metrics(loud(), file)
    write_metrics(quiet(), file)
    assert file.read_text() == metrics_text(quiet())
    assert [*tmp_path.iterdir()] == [file]


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(TellError, match="No such file"):
        write_metrics(quiet(), tmp_path / "none" / "x.prom")

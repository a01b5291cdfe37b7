"""The numbers of a night for Prometheus: a file for the textfile collector of node_exporter, replaced as a whole."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest, write_to_textfile

from audits.diff import Severity
from audits.findings import Verdict
from audits.nightly.news import News, TellError
from audits.verdicts import Grade


def registry_of(news: News) -> CollectorRegistry:
    """All numbers of a night; every grade, severity and verdict, zero too, so that no series comes and goes."""
    registry = CollectorRegistry()
    _gauge(registry, "tlsaudit_run_start_time_seconds", "When the newest run began.").set(news.started.timestamp())
    if news.finished:
        _gauge(registry, "tlsaudit_run_end_time_seconds", "When it ended.").set(news.finished.timestamp())
    domains = _gauge(registry, "tlsaudit_domains", "Domains of the newest run by grade.", "grade")
    for grade in Grade:
        domains.labels(grade.value).set(news.grades.get(grade.value, 0))
    changes = _gauge(registry, "tlsaudit_changes", "Changes since the run that was told last.", "severity")
    for severity in Severity:
        changes.labels(severity.value).set(news.counts.get(severity.value, 0))
    _gauge(registry, "tlsaudit_gate_missed_domains", "Domains that miss the gate.").set(news.gate_missed)
    _gauge(registry, "tlsaudit_expired_waivers", "Waivers that are over.").set(len(news.expired))
    if news.baselines:
        verdicts = _gauge(registry, "tlsaudit_baseline_domains", "Domains by verdict.", "baseline", "verdict")
        for baseline, counts in news.baselines.items():
            for verdict in Verdict:
                verdicts.labels(baseline, verdict.value).set(counts.get(verdict.value, 0))
    if news.first_expiry:
        expiry = _gauge(registry, "tlsaudit_first_certificate_expiry_seconds", "When the next certificate expires.")
        expiry.set(news.first_expiry.timestamp())
    return registry


def _gauge(registry: CollectorRegistry, name: str, words: str, *labels: str) -> Gauge:
    return Gauge(name, words, labels, registry=registry)


def metrics_text(news: News) -> str:
    """The file as text (Prometheus text exposition format 0.0.4)."""
    return generate_latest(registry_of(news)).decode("utf-8")


def write_metrics(news: News, file: Path) -> None:
    """Replaces the file; `TellError` where it cannot be written."""
    try:
        write_to_textfile(str(file), registry_of(news))
    except OSError as error:
        raise TellError(f"metrics {file}: {error.strerror}") from None

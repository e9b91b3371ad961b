"""A page of metrics as the parsers of Prometheus understand it."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(page: str) -> Samples:
    """All samples by name and labels. That for OpenMetrics refuses what is not in order."""
    parse = open_metrics if page.endswith("# EOF\n") else prometheus
    families = parse(page)
    samples = [sample for family in families for sample in family.samples]
    found = {(each.name, tuple(sorted(each.labels.items()))): each.value for each in samples}
    assert len(found) == len(samples), "a sample is there twice"
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels; 0 where there is none."""
    wanted = labels.items()
    return sum(
        each
        for (of, given), each in samples.items()
        if of == name and wanted <= dict(given).items()
    )

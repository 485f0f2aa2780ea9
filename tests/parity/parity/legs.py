"""Runs a case's two legs in one SparkSession and judges them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pyspark.sql import SparkSession

from parity import outcome, witness
from parity.case import Case, Leg, Then, judge, why_not_embedded, why_not_on_spark
from parity.evidence import Evidence

ENABLED = "spark.ember.enabled"


class Legs:
    """The pair of legs.  Without the plugin both run on Spark, and a pair must be vacuous."""

    def __init__(self, spark: SparkSession, *, plugin: bool, lane: str = "embedded") -> None:
        self.spark = spark
        self.lane = lane
        self.plugin = plugin
        self.jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())

    def check(self, case: Case) -> None:
        """Fail unless the legs agree and prove that two paths ran."""
        self.compare(case, self.run(case, embed=True), self.run(case, embed=False))

    def compare(self, case: Case, embedded: Leg, vanilla: Leg) -> None:
        """The same, of two legs that were run."""
        verdict = judge(embedded, vanilla, case)
        if self.plugin:
            assert verdict == "pass", f"{case.name}: {verdict}"
            return
        assert verdict == "vacuous: the first leg did not run embedded", verdict
        stand_in = Leg(**{**vars(embedded), **disguise(embedded, case)})
        verdict = judge(stand_in, vanilla, case)
        assert verdict == "pass", f"{case.name} is no fair question: {verdict}"

    def check_either_way(self, case: Case) -> None:
        """Fail unless the legs agree, be it on rows or on an error."""
        self.check(replace(case, fails=self.run(case, embed=False).failed))

    def check_embedded(self, case: Case) -> None:
        """Fail unless the first leg alone runs embedded (or on Spark, without the plugin)."""
        leg = self.run(case, embed=True)
        missing = why_not_embedded(leg, case) if self.plugin else why_not_on_spark(leg, case)
        assert not missing, f"{case.name}: {missing}"
        assert leg.failed == case.fails, f"{case.name}: {leg.outcome!r}"

    def run(self, case: Case, *, embed: bool) -> Leg:
        """One leg: build, run, look at the executed plan, leave nothing behind."""
        book = witness.fresh()
        frame = None
        with self.conf({**case.conf, ENABLED: str(embed).lower()}):
            try:
                built = case.build(self.spark)
                frame, read = (
                    (built.frame, built.read) if isinstance(built, Then) else (built, None)
                )
                answer = case.act(frame)
                found = outcome.rows(frame, answer, ordered=case.ordered)
                if read is not None:
                    found = (*found, outcome.exact(read()))
                failed = False
            except Exception as raised:  # noqa: BLE001 (whatever it is, it is the answer)
                found, failed = outcome.error(raised), True
            leg = self.leg(found, frame, book, failed=failed)
        self.spark.catalog.clearCache()
        shutil.rmtree(book, ignore_errors=True)
        return leg

    def leg(self, found: Any, asked: Any, book: str, *, failed: bool) -> Leg:
        """The answer beside its evidence, which a frame or a stream gives."""
        if asked is None:
            return Leg(found, failed, lane=self.lane)
        proof = Evidence(asked)
        here, elsewhere = witness.signatures(book, self.jvm)
        return Leg(
            found,
            failed,
            tuple(proof.embedded),
            tuple(proof.vanilla),
            proof.embedded_sessions,
            proof.spark_sessions,
            here,
            elsewhere,
            self.lane,
            proof.process_sessions,
        )

    @contextmanager
    def conf(self, settings: dict[str, str]) -> Iterator[None]:
        """The session's settings for one leg, put back afterwards."""
        before = {key: self.spark.conf.get(key, None) for key in settings}
        for key, value in settings.items():
            self.spark.conf.set(key, value)
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    self.spark.conf.unset(key)
                else:
                    self.spark.conf.set(key, value)


def disguise(leg: Leg, case: Case) -> dict[str, Any]:
    """A Spark leg dressed as an embedded one, to ask whether the question itself is fair."""
    assert set(leg.vanilla_nodes) == set(case.nodes | case.beside), leg
    return {
        "embedded_nodes": tuple(f"Ember{name}" for name in case.nodes),
        "vanilla_nodes": tuple(case.beside),
        "embedded_sessions": 1,
        "signed_in_jvm": leg.signed_elsewhere,
        "signed_elsewhere": 0,
    }

"""From claims.yaml and released tables to verdicts; broken claims end in one line."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from scripts.claims import figure_claims
from scripts.claims.claims import study_claims, write_claims
from scripts.claims.claims_file import read_claims, unmet
from scripts.claims.counts import headline_counts
from scripts.claims.measures import chosen, measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.claims import CLAIMS
from scripts.common.schemas.metrics import METRICS
from scripts.common.studies import study_names
from tests.common.test_config import ROOT

SEEDS = (1, 2, 3, 4)


def metrics(values: dict[str, list[float]], protocol="corrected") -> pd.DataFrame:
    """Return a metrics table: one method per key, one row per seed."""

    def ends(value):
        return value, value - 0.1, value + 0.2

    rows = [
        (
            *("toy", "toy rows", method, protocol),
            f"{method}{seed}",
            seed,
            "test",
            *("none", "all", "zero_one_loss", ""),
            *ends(value),
            "bootstrap over rows",
            100 + seed,
        )
        for method, own in values.items()
        for seed, value in zip(SEEDS, own, strict=False)
    ]
    return pd.DataFrame(rows, columns=METRICS.names)


@pytest.fixture
def frame():
    return metrics({"a": [0.1, 0.2, 0.3, 0.4], "b": [0.0, 0.2, 0.1, 0.1]})


def of(frame, **entry):
    select = {"metric": "zero_one_loss", "method": "a"} | entry.pop("select", {})
    return measure(frame, {"file": "metrics", "select": select, **entry}, "corrected", "toy")


def test_a_mean_over_seeds_joins_sampling_error_and_spread_over_seeds(frame):
    ours, values = of(frame), [0.1, 0.2, 0.3, 0.4]
    seeds = stats.t.interval(0.95, 3, 0, stats.sem(values))[1]
    assert ours.value == pytest.approx(0.25)
    assert (ours.low, ours.high) == pytest.approx((0.25 - math.hypot(0.1, seeds), 0.25 + math.hypot(0.2, seeds)))
    assert (ours.n, ours.seeds, ours.dataset) == (101, 4, "toy rows")
    assert ours.deviation == pytest.approx(np.std(values, ddof=1))
    assert ours.standard_error == pytest.approx(0.3 / (2 * 1.96), rel=1e-4)
    assert ours.interval == "sampling error and seeds (Student's t)"
    alone = of(frame[frame.seed == 2])
    assert (alone.low, alone.high, alone.interval) == (pytest.approx(0.1), pytest.approx(0.4), "sampling error")


def test_a_released_interval_over_splits_is_taken_as_it_is():
    row = {"method": "a", "value": 0.3, "ci_low": 0.1, "ci_high": 0.6, "deviation": 0.05, "seeds": 10, "n": 7}
    row["interval"] = "corrected resampled t"
    summary = pd.DataFrame([row, row | {"method": "b"}])
    entry = {"file": "summary", "select": {"method": "a"}, "interval": "released"}
    ours = measure(summary, entry, "corrected", "toy")
    assert (ours.low, ours.high, ours.deviation, ours.seeds) == pytest.approx((0.1, 0.6, 0.05, 10))
    assert math.isnan(ours.standard_error) and ours.interval == "random splits (corrected resampled t)"
    with pytest.raises(UserError, match="released takes one row; 2 are selected"):
        measure(summary, entry | {"select": {"method": ["a", "b"]}}, "corrected", "toy")


def test_a_released_interval_over_rows_is_a_sampling_error():
    row = {"method": "a", "value": 0.3, "ci_low": 0.1, "ci_high": 0.6, "interval": "wilson", "seeds": 1, "n": 7}
    entry = {"file": "comparisons", "select": {"method": "a"}, "interval": "released"}
    ours = measure(pd.DataFrame([row]), entry, "corrected", "toy")
    assert ours.interval == "95 % Wilson intervals"
    assert (ours.low, ours.high, ours.standard_error) == pytest.approx((0.1, 0.6, 0.5 / (2 * 1.96)), rel=1e-4)


def test_a_metric_without_a_condition_is_that_of_none(frame):
    attacked = frame.assign(condition="eps=0.1", value=0.9)
    both = pd.concat([frame, attacked], ignore_index=True)
    assert of(both).value == pytest.approx(0.25)
    assert of(both, select={"condition": "eps=0.1"}).value == pytest.approx(0.9)
    assert of(both, select={"condition": "eps=0.1"}, minus={"condition": ""}).value == pytest.approx(0.65)


def test_rows_of_several_seeds_count_as_such(frame):
    assert of(frame.assign(seeds=1)).seeds == 4


def test_several_rows_of_a_seed_are_no_seeds(frame):
    both = of(frame, select={"method": ["a", "b"]})
    per_seed = [0.05, 0.2, 0.2, 0.25]
    assert both.deviation == pytest.approx(np.std(per_seed, ddof=1)) and both.seeds == 4


def test_students_interval_agrees_with_scipy(frame):
    values = [0.1, 0.2, 0.3, 0.4]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    ours = of(frame, interval="student over seeds")
    assert (ours.low, ours.high) == pytest.approx((low, high))


def test_a_paired_difference_is_taken_seed_by_seed(frame):
    shuffled = frame.sample(frac=1, random_state=1)
    ours = of(shuffled, minus={"method": "b"}, interval="student over seeds")
    differences = [0.1, 0.0, 0.2, 0.3]
    assert ours.value == pytest.approx(np.mean(differences))
    assert ours.deviation == pytest.approx(np.std(differences, ddof=1))
    own, seeds = of(frame, minus={"method": "b"}), (ours.high - ours.low) / 2  # -0.1 and +0.2 of both, crossed
    assert own.low == pytest.approx(0.15 - math.hypot(0.1, 0.2, seeds))
    assert own.high == pytest.approx(0.15 + math.hypot(0.2, 0.1, seeds))
    assert own.interval == "sampling error (unpaired, too wide) and seeds (Student's t)"
    apart = of(frame.assign(split="valid").pipe(lambda valid: pd.concat([frame, valid])), minus={"split": "valid"},
               select={"split": "test"})  # fmt: skip
    assert apart.interval.startswith("sampling error and")


def test_one_row_stands_for_all_of_the_others(frame):
    alone = frame[(frame.method == "a") | (frame.seed == 3)]
    ours = of(alone, minus={"method": "b"}, interval="student over seeds")
    assert ours.value == pytest.approx(0.25 - 0.1) and ours.seeds == 4
    turned = of(alone, select={"method": "b"}, minus={"method": "a"})
    assert turned.value == pytest.approx(0.1 - 0.25) and turned.seeds == 4


def test_extremes_keep_the_interval_of_their_own_row(frame):
    ours = of(frame, statistic="max")
    assert (ours.value, ours.low, ours.high) == pytest.approx((0.4, 0.3, 0.6))
    assert ours.standard_error == pytest.approx(0.3 / (2 * 1.96), rel=1e-4)
    ends = of(frame, interval="range")
    assert (ends.low, ends.high) == (0.1, 0.4)


def test_a_scale_moves_the_interval_along(frame):
    once, ours = of(frame), of(frame, scale=-100)
    assert (ours.value, ours.low, ours.high) == pytest.approx((-25, -100 * once.high, -100 * once.low))
    assert (ours.deviation, ours.standard_error) == pytest.approx((100 * once.deviation, 100 * once.standard_error))


def test_a_selection_without_rows_says_so(frame):
    assert "no rows with" in of(frame, select={"method": "c"})
    assert "no rows with" in measure(frame, {"file": "m", "select": {"metric": "zero_one_loss"}}, "as_published", "toy")


def test_lists_choose_several_rows(frame):
    assert len(chosen(frame, {"method": ["a", "b"], "seed": [1, 2]}, "toy")) == 4


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"select": {"metric": "eror"}}, "no metric 'eror'; there are zero_one_loss"),
        ({"select": {"metod": "a"}}, "no column 'metod'"),
        ({"column": "valeu"}, "no column 'valeu'"),
        ({"minus": {"method": "b"}, "pair_by": "split"}, "two rows have split = test"),
        ({"minus": {"method": "b"}, "pair_by": "sead"}, "no column 'sead' to pair by"),
    ],
)
def test_a_name_that_does_not_exist_is_an_error(frame, entry, words):
    with pytest.raises(UserError, match=words):
        of(frame, **entry)


STUDY = {
    "references": [
        {"id": "author2020", "title": "A title", "url": "https://example.org/paper"},
        {"id": "talk2020", "title": "A talk that nobody can open"},
    ]
}
PUBLISHED = {
    "table_1": {
        "document": "author2020",
        "place": "table 1",
        "read_from": "table",
        "unit": "share",
        "values": {"quarter": 0.25, "half": 0.5, "most": {"a": 0.9}, "line": [[0.1, 0.2], [0.3, 0.4]]},
    }
}
CLAIM = {
    "id": "a-errs",
    "where": {"document": "author2020", "place": "table 1"},
    "says": "Method a errs on a quarter.",
    "origin": "paper",
    "confidence": "verified",
    "protocols": ["corrected"],
    "published": {"number": "table_1/quarter"},
    "measure": {"file": "metrics", "select": {"metric": "zero_one_loss", "method": "a"}},
    "holds": {"rule": "equals", "tolerance": {"value": 0.01, "from": "rounding", "why": "Two digits."}},
    "testable_on": ["toy rows"],
}


def claims_file(folder, *claims):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    (folder / "published.yaml").write_text(yaml.safe_dump(PUBLISHED), encoding="utf-8")
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": list(claims)}), encoding="utf-8")
    return path


def verdicts(tmp_path, frame, *claims, settings=None):
    path = tmp_path / "metrics.parquet"
    parquet.write(frame, path, METRICS)
    return study_claims("toy", claims_file(tmp_path, *claims), {"metrics": path}, settings or {})


def changed(**changes):
    claim = copy.deepcopy(CLAIM)
    for key, value in changes.items():
        place, *rest = key.split("__")
        if rest:
            claim[place][rest[0]] = value
        else:
            claim[place] = value
    return claim


def test_a_claim_gets_its_line(tmp_path, frame):
    line = verdicts(tmp_path, frame, CLAIM).iloc[0]
    assert (line.origin, line.confidence, line.document, line.place) == ("paper", "verified", "author2020", "table 1")
    assert (line.published, line.unit, line.read_from) == (0.25, "share", "table")
    assert (line.verdict, line.value, line.tolerance, line.bound) == ("reproduced", pytest.approx(0.25), 0.01, 0.25)


def test_every_protocol_has_a_line_of_its_own(tmp_path, frame):
    both = pd.concat([frame, metrics({"a": [0.9] * 4}, "as_published")])
    found = verdicts(tmp_path, both, changed(protocols=["as_published", "corrected"]))
    assert found.verdict.tolist() == ["not reproduced", "reproduced"]


def test_other_data_cannot_test_a_claim_but_its_value_is_shown(tmp_path, frame):
    line = verdicts(tmp_path, frame, changed(testable_on=["CelebA"])).iloc[0]
    assert line.verdict == "not testable here" and "needs CelebA; these results rest on toy rows" in line.reason
    assert line.value == pytest.approx(0.25)


def test_a_setting_that_is_not_met_makes_a_claim_untestable(tmp_path, frame):
    claim = changed(requires={"networks": "large"}, measure__select={"metric": "of the large network"})
    line = verdicts(tmp_path, frame, claim, settings={"networks": ["small"]}).iloc[0]
    assert (
        line.verdict == "not testable here"
        and line.reason == "needs networks = large; these results were made with small"
    )
    with pytest.raises(UserError, match="no metric 'of the large network'"):
        verdicts(tmp_path, frame, claim, settings={"networks": ["small", "large"]})
    assert unmet({"a.b": {"eps": 1}}, {"a": {"b": [{"eps": 1}]}}) is None


def test_a_tolerance_from_the_seeds_needs_two_of_them(tmp_path, frame):
    tolerance = {"times": 2, "from": "seed spread", "why": "Two standard deviations."}
    claim = changed(holds__tolerance=tolerance, published__number="table_1/half")
    line = verdicts(tmp_path, frame, claim).iloc[0]
    assert line.tolerance == pytest.approx(2 * np.std([0.1, 0.2, 0.3, 0.4], ddof=1)) and line.verdict == "reproduced"
    alone = verdicts(tmp_path, frame[frame.seed == 1], claim).iloc[0]
    assert alone.verdict == "not testable here" and "these rows alone do not show" in alone.reason


def test_a_tolerance_from_sampling_error_knows_nothing_of_the_seeds(tmp_path, frame):
    tolerance = {"times": 1, "from": "sampling error", "why": "One standard error."}
    line = verdicts(tmp_path, frame, changed(holds__tolerance=tolerance)).iloc[0]
    assert line.tolerance == pytest.approx(0.3 / (2 * 1.96), rel=1e-4)
    far_apart = frame.assign(**{name: frame[name] + 10 * frame.seed for name in ("value", "ci_low", "ci_high")})
    later = verdicts(tmp_path, far_apart, changed(holds__tolerance=tolerance)).iloc[0]
    assert later.tolerance == pytest.approx(line.tolerance)


BROKEN = {
    "no tolerance": ([changed(holds={"rule": "equals"})], "'tolerance' is a required property"),
    "unnamed tolerance": ([changed(holds__tolerance={"value": 0.1, "why": "so"})], "'from' is a required property"),
    "negative tolerance": (
        [changed(holds__tolerance={"value": -1, "from": "rounding", "why": "why not"})],
        "less than the minimum",
    ),
    "duplicate id": ([CLAIM, CLAIM], "'a-errs' stands twice"),
    "unknown key": ([changed(verdict="reproduced")], "'verdict' was unexpected"),
    "unknown rule": ([changed(holds__rule="roughly")], "'roughly' is not one of"),
    "nothing to compare with": ([{k: v for k, v in CLAIM.items() if k != "published"}], "give a value"),
    "no origin": ([{k: v for k, v in CLAIM.items() if k != "origin"}], "'origin' is a required property"),
    "unknown origin": ([changed(origin="finding")], "'finding' is not one of"),
    "no document": ([{k: v for k, v in CLAIM.items() if k != "where"}], "a-errs: where: is missing"),
    "a document in words": ([changed(where="reference sheet")], "'reference sheet' is not of type 'object'"),
    "no public document": (
        [changed(where__document="reference sheet")],
        "a-errs: where: 'reference sheet' is no public document; study.yaml lists with an address: author2020",
    ),
    "a document without an address": ([changed(where__document="talk2020")], "'talk2020' is no public document"),
    "no confidence": ([{k: v for k, v in CLAIM.items() if k != "confidence"}], "a-errs: confidence: is missing"),
    "confidence in ourselves": ([changed(origin="ours")], "a-errs: confidence: is for claims of others"),
    "no such number": ([changed(published__number="table_1/third")], "'table_1/third' names no number: there is no"),
    "no such table": ([changed(published__number="table_2/half")], "there is no group 'table_2'; there are table_1"),
    "several numbers": ([changed(published__number="table_1/most")], "names several numbers"),
    "no such metric": ([changed(measure__select={"metric": "eror"})], "a-errs: measure: there is no metric 'eror'"),
    "not released": ([changed(measure__file="predictions")], "'predictions' is not released"),
    "no claims": ([], "claims"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_claim_ends_in_one_line(tmp_path, frame, case):
    claims, words = BROKEN[case]
    with pytest.raises(UserError) as error:
        verdicts(tmp_path, frame, *claims)
    assert words in str(error.value) and "claims.yaml" in str(error.value) and "\n" not in str(error.value)


def test_our_claims_need_no_document(tmp_path):
    ours = {key: value for key, value in changed(origin="ours").items() if key not in ("where", "confidence")}
    assert read_claims(claims_file(tmp_path, ours))[0]["origin"] == "ours"


def test_a_published_number_may_be_a_difference_in_other_units(tmp_path):
    entry = {"number": "table_1/line/1/0", "minus": "table_1/quarter", "scale": 100, "unit": "points"}
    (claim,) = read_claims(claims_file(tmp_path, changed(published=entry)))
    assert claim["published"] == {"value": 5.0, "unit": "points", "read_from": "table"}


def test_missing_and_unreadable_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_claims(tmp_path / "claims.yaml")
    (tmp_path / "claims.yaml").write_text("claims: [", encoding="utf-8")
    with pytest.raises(UserError, match="no valid YAML"):
        read_claims(tmp_path / "claims.yaml")


def test_all_studies_are_put_together_and_counted(tmp_path, frame):
    released, settings = [], {}
    for name in ("one", "two"):
        claims_file(tmp_path / "scripts" / name, CLAIM, changed(id="b", published__number="table_1/most/a"))
        parquet.write(frame, tmp_path / f"results/{name}/metrics.parquet", METRICS)
        released.append(str(tmp_path / f"results/{name}/metrics.parquet"))
        settings[name] = {}
    paths = [str(tmp_path / f"scripts/{name}/claims.yaml") for name in settings]
    write_claims(paths, released, settings, tmp_path / "claims.parquet", tmp_path / "tables")
    claims = parquet.read(tmp_path / "claims.parquet", CLAIMS)
    assert claims.groupby("study").size().to_dict() == {"one": 2, "two": 2}
    assert headline_counts(claims).values.tolist() == [["one", 1, 0, 1, 0, 2], ["two", 1, 0, 1, 0, 2]]
    assert "not reproduced" in (tmp_path / "tables/claims.md").read_text(encoding="utf-8")
    figure_claims.draw_all(tmp_path / "claims.parquet", tmp_path / "figures")
    drawn = parquet.read(tmp_path / "figures/claims_by_tolerance.parquet")
    used = drawn[(drawn.factor == 1) & (drawn.study == "one")].set_index("verdict").claims
    assert used.to_dict() == {"reproduced": 1, "partly": 0, "not reproduced": 1}
    assert set(drawn.groupby(["study", "factor"]).claims.sum()) == {2}


@pytest.mark.parametrize("study", study_names(ROOT))
def test_the_claims_of_the_project_are_well_formed(study):
    assert read_claims(ROOT / f"scripts/{study}/claims.yaml")

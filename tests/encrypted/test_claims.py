"""Claims of the study select rows that it releases, and their verdicts follow from the numbers."""

import pytest

from scripts.claims.claims import row_of
from scripts.claims.claims_file import read_claims
from scripts.claims.measures import Measured, measure
from scripts.common import studies
from scripts.common.yaml_files import read_yaml
from scripts.encrypted.sources import SOURCES
from tests.common.test_config import ROOT
from tests.encrypted import released

CLAIMS = {claim["id"]: claim for claim in read_claims(ROOT / "scripts/encrypted/claims.yaml")}
PAIRS = [(name, protocol) for name, claim in CLAIMS.items() for protocol in claim["protocols"]]


@pytest.fixture(scope="module")
def frames():
    return released.frames()


def verdict(frames, name, **changed):
    claim = CLAIMS[name]
    frame = frames | changed
    line = row_of("encrypted", claim, claim["protocols"][0], frame[claim["measure"]["file"]], {}, name)
    return line["verdict"]


@pytest.mark.parametrize(("name", "protocol"), PAIRS)
def test_every_claim_selects_rows_of_its_protocol(frames, name, protocol):
    entry = CLAIMS[name]["measure"]
    ours = measure(frames[entry["file"]], entry, protocol, name)
    assert isinstance(ours, Measured), ours
    assert ours.dataset


def test_claims_name_what_the_study_releases_and_datasets_that_it_has():
    about = studies.describe("encrypted", ROOT)
    assert {claim["measure"]["file"] for claim in CLAIMS.values()} <= set(about["released"])
    selected = {claim["measure"]["select"].get("source") for claim in CLAIMS.values()} - {None}
    assert {name.partition("_")[0] for name in selected} <= SOURCES.keys()


def test_a_claim_about_a_dataset_says_so_in_its_id():
    for name, claim in CLAIMS.items():
        source = claim["measure"]["select"].get("source")
        assert source is None or name.endswith(f"-{source}"), name


def test_numbers_of_the_finding_are_those_of_claims():
    found = read_yaml(ROOT / "scripts/encrypted/study.yaml")["found"]
    for number in found["numbers"].values():
        assert number["protocol"] in CLAIMS[number["claim"]]["protocols"]


def test_without_tfhe_its_claims_are_not_testable_and_say_why(frames):
    of_tfhe = [name for name, claim in CLAIMS.items() if claim["measure"]["file"] == "tfhe"]
    assert len(of_tfhe) == 4
    for name in of_tfhe:
        assert verdict(frames, name) == "reproduced"
        assert verdict(frames, name, tfhe=released.tfhe(False)) == "not testable here"


def test_a_dct_that_costs_as_much_as_pixels_is_not_faster(frames):
    assert verdict(frames, "dct-faster-than-pixels-mnist") == "reproduced"
    equal = frames["efficiency"].assign(value=1.0)
    assert verdict(frames, "dct-faster-than-pixels-mnist", efficiency=equal) == "not reproduced"
    assert verdict(frames, "scales-better-mnist") == "reproduced"
    smaller = frames["efficiency"].assign(value=-frames["efficiency"]["value"])
    assert verdict(frames, "scales-better-mnist", efficiency=smaller) == "not reproduced"


def test_one_changed_prediction_in_a_thousand_is_the_most(frames):
    name, rows = "predictions-survive-encryption-mnist", frames["metrics"]
    agreement = (rows["metric"] == "prediction_agreement") & (rows["setting"] == "dct-16")
    for value, expected in ((0.999, "reproduced"), (0.998, "not reproduced")):
        changed = rows.assign(value=rows["value"].mask(agreement, value))
        assert verdict(frames, name, metrics=changed) == expected


def test_one_setting_that_encryption_changes_is_seen(frames):
    rows, name = frames["comparisons"], "encryption-costs-no-accuracy-faces"
    one = (rows["first"] == "encrypted") & (rows["setting"] == "dct-64") & (rows["key"] == 2)
    assert verdict(frames, name) == "reproduced"
    assert verdict(frames, name, comparisons=rows.assign(p_value=rows["p_value"].mask(one, 0.01))) == "not reproduced"


def test_as_many_changed_predictions_are_not_fewer(frames):
    rows, name = frames["noise"], "fewer-changed-predictions-mnist"
    assert verdict(frames, name) == "not reproduced"
    pixels = (rows["setting"] == "pixels-784").astype(int)
    assert verdict(frames, name, noise=rows.assign(flips=rows["flips"] + pixels)) == "reproduced"


@pytest.mark.parametrize(("pixels", "expected"), [(0.03, "reproduced"), (0.01, "not reproduced")])
def test_the_smaller_logit_error_is_the_more_reliable_one(frames, pixels, expected):
    rows = frames["noise"]
    changed = rows.assign(max_error=rows["max_error"].mask(rows["setting"] == "pixels-64", pixels))
    assert verdict(frames, "smaller-logit-error-digits", noise=changed) == expected


def test_a_large_error_counts_where_the_claim_looks(frames):
    rows, name = frames["noise"], "logit-error-mnist"
    for setting, expected in (("pooling-49", "not reproduced"), ("pixels-784", "reproduced")):
        one = (rows["setting"] == setting) & (rows["key"] == 3)
        assert verdict(frames, name, noise=rows.assign(max_error=rows["max_error"].mask(one, 0.06))) == expected


def test_arithmetic_on_printed_numbers_has_its_verdicts(frames):
    assert verdict(frames, "best-on-cifar") == "not reproduced"
    assert verdict(frames, "published-gain-on-the-same-pipeline") == "reproduced"
    assert verdict(frames, "published-spread-is-below-chance") == "reproduced"
    for name in ("five-times-prior", "imagenet-in-two-and-a-half-hours"):
        assert verdict(frames, name) == "not testable here"

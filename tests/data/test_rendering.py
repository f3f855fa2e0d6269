"""The rendered faces: the same bytes always, each attribute where it belongs, clear words for bad input."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeClassifier

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.data import calibrate_faces
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.contact_sheet import PER_HALF, SHOWN, compose, contact_sheet, pick
from scripts.data.rendering import nuisance, render_faces
from scripts.data.rendering.camera import pose, sample_shot
from scripts.data.rendering.traits import sample

BALD_TO_EYES, EYES, MOUTH = slice(4, 22), slice(25, 39), slice(40, 54)  # rows of pixels, roughly


def people(count: int, **values: int) -> np.ndarray:
    """Young, beardless people with none of the other attributes, but for those given."""
    attributes = np.full((count, len(ATTRIBUTES)), -1, np.int8)
    for name, value in {"Young": 1, "No_Beard": 1, **values}.items():
        attributes[:, ATTRIBUTES.index(name)] = value
    return attributes


def varied(count: int, seed: int) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random((count, len(ATTRIBUTES))) < 0.3, 1, -1).astype(np.int8)


def effect(name: str, count: int = 16, **values: int) -> np.ndarray:
    """Mean absolute change (float [64, 64]) of a picture when one attribute is switched on."""
    rows = np.arange(1, count + 1)
    without = render_faces(rows, people(count, **values)).astype(float)
    having = render_faces(rows, people(count, **values, **{name: 1})).astype(float)
    return np.abs(having - without).mean(axis=(0, 3))


def test_there_are_forty_names_in_the_official_order():
    assert len(set(ATTRIBUTES)) == 40
    assert [ATTRIBUTES[i] for i in (0, 1, 15, 20, 31, 39)] == [
        "5_o_Clock_Shadow",
        "Arched_Eyebrows",
        "Eyeglasses",
        "Male",
        "Smiling",
        "Young",
    ]


def test_shape_type_and_range():
    images = render_faces(np.arange(1, 41), varied(40, 0))
    assert images.shape == (40, 64, 64, 3) and images.dtype == np.uint8
    assert images.min() < 20 and images.max() > 235
    assert (images.reshape(40, -1).std(axis=1) > 10).all()  # none is blank
    assert render_faces(np.array([], np.int64), varied(0, 0)).shape == (0, 64, 64, 3)


def test_a_picture_depends_on_its_own_row_only():
    rows, attributes = np.arange(100, 130), varied(30, 1)
    images = render_faces(rows, attributes)
    order = np.random.default_rng(0).permutation(30)
    assert (render_faces(rows[order], attributes[order]) == images[order]).all()
    assert (render_faces(rows[7:8], attributes[7:8])[0] == images[7]).all()
    assert (render_faces(rows + 1, attributes) != images).any(axis=(1, 2, 3)).all()


def test_two_workers_draw_what_one_draws(monkeypatch):
    rows, attributes = np.arange(1, 31), varied(30, 2)
    images = render_faces(rows, attributes)
    monkeypatch.setattr("scripts.data.rendering.render.FACES_PER_TASK", 8)
    assert (render_faces(rows, attributes) == images).all()
    assert (render_faces(rows, attributes, workers=2) == images).all()


@pytest.mark.parametrize(
    ("name", "where", "factor"),
    [
        ("Eyeglasses", EYES, 3.0),
        ("Narrow_Eyes", EYES, 3.0),
        ("Arched_Eyebrows", slice(18, 32), 3.0),
        ("Bags_Under_Eyes", slice(30, 42), 3.0),
        ("Smiling", slice(36, 56), 3.0),
        ("Wearing_Lipstick", MOUTH, 3.0),
        ("Mouth_Slightly_Open", MOUTH, 3.0),
        ("Big_Nose", slice(28, 46), 2.0),
        ("Wearing_Hat", BALD_TO_EYES, 3.0),
        ("Bangs", slice(14, 30), 3.0),
        ("Receding_Hairline", slice(10, 30), 3.0),
        ("Wearing_Necktie", slice(52, 64), 3.0),
        ("Wearing_Necklace", slice(50, 64), 3.0),
    ],
)
def test_an_attribute_changes_the_picture_where_it_belongs(name, where, factor):
    change = effect(name).mean(axis=1)
    elsewhere = np.delete(change, np.arange(64)[where])
    assert change[where].mean() > factor * elsewhere.mean() and change[where].mean() > 0.25


@pytest.mark.parametrize("name", ["Mustache", "Goatee", "5_o_Clock_Shadow", "Sideburns"])
def test_facial_hair_is_drawn_on_the_lower_face(name):
    change = effect(name, Male=1).mean(axis=1)
    assert change[34:60].mean() > 3 * change[:24].mean()


def test_every_attribute_with_a_cue_is_drawn():
    rows, base = np.arange(1, 9), people(8, Male=1)
    images = render_faces(rows, base)
    for index, name in enumerate(ATTRIBUTES):
        changed = base.copy()
        changed[:, index] *= -1
        assert (render_faces(rows, changed) != images).any() == (name != "Attractive"), name


def test_hair_and_skin_have_the_named_colours():
    rows = np.arange(1, 61)

    def brightness(region: tuple[slice, slice], **values: int) -> np.ndarray:
        return render_faces(rows, people(60, **values))[:, *region].mean(axis=(0, 1, 2))

    crown = (slice(10, 17), slice(26, 38))
    black, brown, gray, blond = (
        brightness(crown, **{f"{name}_Hair": 1}) for name in ("Black", "Brown", "Gray", "Blond")
    )
    assert black.mean() + 15 < brown.mean() < blond.mean() - 30
    assert gray.mean() > brown.mean() + 30 and blond[0] - blond[2] > gray[0] - gray[2] + 20
    cheeks = (slice(36, 42), slice(24, 40))
    assert brightness(cheeks, Pale_Skin=1).mean() > brightness(cheeks).mean() + 15


def test_a_blurry_picture_has_less_detail():
    rows = np.arange(1, 41)
    images = {value: render_faces(rows, people(40, Blurry=value)).astype(float) for value in (-1, 1)}
    detail = {
        value: np.abs(np.diff(picture[:, 8:56, 8:56].mean(axis=3), n=2, axis=1)).mean()
        for value, picture in images.items()
    }
    assert detail[1] < 0.95 * detail[-1]


def test_cues_are_as_reliable_as_the_tables_say():
    """One attribute at a time, at both signs, over many rows: shares of the cues, and the gap of those of degree."""
    shown = {sign: [] for sign in (-1, 1)}
    for sign, cues in shown.items():
        row = np.full(40, sign, np.int8)
        for row_id in range(1500):
            cues.append(nuisance.cues(row, np.random.default_rng([1, row_id])))
    for name, (hit, false_alarm) in nuisance.PROBABILITIES.items():
        for sign, chance in ((1, hit), (-1, false_alarm)):
            share = np.mean([cue[name] for cue in shown[sign]])
            assert abs(share - chance) < 4.5 * np.sqrt(chance * (1 - chance) / 1500) + 1e-9, name
    for name, gap in nuisance.GAPS.items():
        middle = {sign: np.median([cue[name] for cue in shown[sign]]) for sign in shown}
        assert middle[1] - middle[-1] == pytest.approx(gap, abs=0.17), name
    assert set(nuisance.GAPS) | set(nuisance.PROBABILITIES) == set(ATTRIBUTES) - {"Attractive"}


def test_one_attribute_changes_one_cue():
    base, changed = people(1)[0], people(1, Smiling=1)[0]
    first, second = (nuisance.cues(row, np.random.default_rng(3)) for row in (base, changed))
    assert [name for name in first if first[name] != second[name]] == ["Smiling"]


def test_windows_hold_their_box_in_every_pose():
    """A window is a shortcut: no pixel whose face coordinates lie in the box may be outside of it."""
    for seed in range(40):
        canvas = pose(sample_shot(np.random.default_rng(seed), blurry=False))
        for box in ((-0.3, -0.2, 0.1, 0.2), (0.2, 0.1, 0.45, 0.6), (-0.5, -0.5, 0.5, -0.2)):
            left, top, right, bottom = box

            def within(part, left=left, top=top, right=right, bottom=bottom):
                return ((part.u >= left) & (part.u <= right) & (part.v >= top) & (part.v <= bottom)).sum()

            assert within(canvas.window(*box)) == within(canvas)


def test_traits_stay_drawable():
    for row_id in range(300):
        face = sample(varied(1, row_id)[0], np.random.default_rng(row_id))
        assert 0.3 < face.width < 0.65 and 0.55 < face.length < 0.95 and face.jaw > 1.5
        assert 0 < face.opening < 2 and face.lips > 0 and face.nose_width > 0 and face.brow_weight > 0
        for colour in (face.skin, face.hair, face.lip_colour, face.cloth, *face.background):
            assert all(0 <= value <= 1 for value in colour)


def test_a_linear_model_learns_visible_attributes():
    attributes = people(500)
    has = {name: np.random.default_rng(i).random(500) < 0.5 for i, name in enumerate(("Male", "Eyeglasses"))}
    for name, rows in has.items():
        attributes[rows, ATTRIBUTES.index(name)] = 1
    images = render_faces(np.arange(1, 501), attributes).reshape(500, 32, 2, 32, 2, 3).mean(axis=(2, 4, 5))
    pixels = images.reshape(500, -1) / 255
    for name, rows in has.items():
        model = RidgeClassifier(alpha=30).fit(pixels[:350], rows[:350])
        assert model.score(pixels[350:], rows[350:]) > 0.70, name


def test_bad_input_is_named():
    rows, good = np.arange(1, 4), people(3)
    with pytest.raises(UserError, match=r"-1 or \+1, found 0.*convert"):
        render_faces(rows, (good > 0).astype(np.int8))
    with pytest.raises(UserError, match=r"shape \(3, 39\), expected \(3, 40\)"):
        render_faces(rows, good[:, :39])
    with pytest.raises(UserError, match=r"shape \(2, 40\)"):
        render_faces(rows, good[:2])
    with pytest.raises(UserError, match="whole numbers"):
        render_faces(rows.astype(float), good)
    with pytest.raises(UserError, match="whole numbers"):
        render_faces(-rows, good)


def test_the_sheet_shows_with_and_without(tmp_path):
    attributes = varied(60, 4)
    images = np.full((60, 64, 64, 3), 200, np.uint8)
    images[attributes[:, ATTRIBUTES.index("Eyeglasses")] > 0] = 10
    first = compose(images, attributes)[:64]  # the line of Eyeglasses
    middle = first.shape[1] // 2
    assert (first[:, : middle - 6] != 200).all() and (first[:, middle + 6 :] != 10).all()
    assert len(SHOWN) >= 10
    path = tmp_path / "sheet.png"
    contact_sheet(images, attributes, np.arange(60), path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    contact_sheet(images[::-1], attributes[::-1], np.arange(60)[::-1], path)
    assert path.read_bytes() == content  # ordered by row id
    with pytest.raises(UserError, match="equally many"):
        contact_sheet(images, attributes[:5], np.arange(60), path)


def test_few_faces_leave_places_empty():
    with_it, without = pick(np.array([True, False, True]), 2, PER_HALF)
    assert with_it.tolist() == [2, 0] and without.tolist() == [1]


def test_the_calibration_runs_and_says_when_it_is_missed(tmp_path, capsys):
    table = pd.DataFrame(varied(500, 5), columns=ATTRIBUTES)
    table.insert(0, "row_id", np.arange(1, 501))
    given, out = tmp_path / "attributes.parquet", tmp_path / "calibration.parquet"
    parquet.write(table, given)
    sizes = ["--train", "128", "256", "--test", "200", "--epochs", "1"]
    status = calibrate_faces.main(["--attributes", str(given), "--out", str(out), *sizes])
    found = parquet.read(out)
    assert found["train_faces"].tolist() == [0, 0, 128, 128, 256, 256] and (found["n"] == 200).all()
    assert ((found["ci_low"] < found["value"]) & (found["value"] < found["ci_high"])).all()
    best = found[found["train_faces"] > 0]["value"].max()
    assert status == (0 if 0.68 <= best <= 0.72 else 1)
    assert calibrate_faces.main(["--attributes", str(given), "--out", str(out), "--train", "400", "--test", "200"]) == 1
    assert "more than the table's 500 rows" in capsys.readouterr().err


def test_the_calibration_draws_the_published_label():
    """The first weights as published, and each label from its own uniform after the weights."""
    lone = np.full((2, 40), -1, np.int8)
    lone[1, 1] = 1  # Arched_Eyebrows, weight +1.884877
    chance, label = calibrate_faces.labels(lone)
    score = np.log(chance / (1 - chance))
    assert score[1] - score[0] == pytest.approx(2 * 1.884877, abs=1e-5)
    assert score[0] == pytest.approx(4.408 - 5, abs=1e-3)  # minus the sum of the weights, and the bias
    rng = np.random.default_rng(1306)
    rng.standard_normal(40)
    assert (label == (rng.random(2) < chance)).all()

"""Options of a command line that stand twice: joined, or refused, never dropped."""

import pytest

from scripts.common.command_line import new_parser
from scripts.common.errors import UserError
from scripts.tradeoffs.single import arguments, overridden, value_of


def test_an_option_that_takes_many_joins_them():
    parser = arguments()
    options = parser.parse_args(["--set", "batch_size=1000", "--set", "epochs=1", "momentum=0"])
    assert options.set == ["batch_size=1000", "epochs=1", "momentum=0"]
    assert parser.parse_args([]).set == [] and parser.parse_args(["--seed", "3"]).seed == 3


@pytest.mark.parametrize("twice", [["--seed", "1", "--seed", "2"], ["--arm", "plain", "--arm", "fair"]])
def test_an_option_that_takes_one_is_refused_the_second_time(twice, capsys):
    with pytest.raises(SystemExit):
        arguments().parse_args(twice)
    assert f"{twice[0]} is given twice; keep one" in capsys.readouterr().err


def test_a_parser_forgets_what_an_earlier_line_gave_and_guesses_no_name():
    parser = new_parser()
    parser.add_argument("--train", type=int)
    assert [parser.parse_args(["--train", number]).train for number in "12"] == [1, 2]
    with pytest.raises(SystemExit):
        parser.parse_args(["--tr", "1"])


def test_a_setting_that_is_given_twice_is_refused():
    study = {"training": {"epochs": 1, "batch_size": 2}, "protocols": {"corrected": {}}}
    both = overridden(study, ["batch_size=1000", "epochs=3"], "corrected")
    assert both["protocols"]["corrected"]["training"] == {"batch_size": 1000, "epochs": 3}
    with pytest.raises(UserError, match="--set epochs: is given twice"):
        overridden(study, ["epochs=1", "epochs=2"], "corrected")


def test_numbers_on_the_command_line_are_numbers():
    values = {"3e-3": 0.003, "1e5": 1e5, "0.5": 0.5, "adamw": "adamw", "[flip, crop]": ["flip", "crop"], "true": True}
    assert {text: value_of(text) for text in values} == values
    with pytest.raises(UserError, match="no value"):
        value_of("[flip")

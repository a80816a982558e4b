"""The community's words for members: in every language, and what they are told is in their own."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from community.members.entering import LANGUAGES
from community.models import PostState
from community.moderation.reasons import reason_in_words
from community.posts.telling import reasons, state_in_words
from community.rules import Action, house_rules

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ["community/members/words", "community/posts/words", "community/help"]


def keys_of(value: Any, path: str = "") -> set[str]:
    """The names of all words in a file, and where in it they are."""
    if isinstance(value, dict):
        parts = [(f"{path}/{name}", one) for name, one in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}/{at}", one) for at, one in enumerate(value)]
    else:
        assert value.strip(), path
        return {path}
    return {key for name, one in parts for key in keys_of(one, name)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_language_has_the_same_words(folder: str) -> None:
    files = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / folder).glob("*.toml")}
    assert set(files) == set(LANGUAGES)
    for language, words in files.items():
        assert keys_of(words) == keys_of(files["en"]), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_rule_is_for_and_where_a_post_is_are_said_in_each_language(language: str) -> None:
    turning = [rule for rule in house_rules() if rule.action in {Action.BLOCK, Action.HOLD}]
    for rule in turning:
        hit = {"rule": rule.id, "version": 1, "action": rule.action.value}
        [said] = reasons([hit], language)
        assert (said == rule.description) is (language == "en"), "the house's words are English"
    assert len({state_in_words(state.value, language) for state in PostState}) == len(PostState)
    assert {state_in_words(state.value, "en") for state in PostState} == set(PostState.labels)


def test_a_reason_is_of_one_language() -> None:
    assert reason_in_words("advice", "pl").endswith(
        "(Zasada społeczności: Mów o tym, co spotkało Ciebie)"
    )

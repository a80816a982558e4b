"""What the rules must make of the posts in corpus/posts/, each with the reason why."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from community.rules import judge

FOLDER = Path(__file__).parent.parent / "corpus" / "posts"


def posts() -> list[dict[str, Any]]:
    """Every post with what is expected of it; what a row leaves out is as lax as can be."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in data["posts"]:
            lax = {"state": "published", "crisis": False, "advice": False, "masked": row["text"]}
            found.append({"language": data["language"]} | lax | data.get("default", {}) | row)
    return found


POSTS = posts()


@pytest.mark.parametrize(
    "post", POSTS, ids=[f"{one['language']}-{one['text'][:40]!a}" for one in POSTS]
)
def test_a_post_comes_to_what_it_should(post: dict[str, Any]) -> None:
    verdict = judge(post["text"], post["language"])
    got = (str(verdict.state), verdict.crisis, verdict.advice, verdict.masked)
    assert got == (post["state"], post["crisis"], post["advice"], post["masked"]), verdict.hits


def test_the_corpus_is_broad() -> None:
    assert len(POSTS) >= 320
    count = Counter(one["language"] for one in POSTS)
    assert all(count[language] >= 80 for language in ("en", "cy", "es", "fr", "de", "pl"))
    assert len({(one["language"], one["text"]) for one in POSTS}) == len(POSTS)
    assert all(one["reason"] for one in POSTS)

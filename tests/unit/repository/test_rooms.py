"""How the tree reads: folders that can be taken in at a glance, modules named for what they hold."""

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TREES = ("src", "packages", "plugins", "dags", "tests")
MOST = 15  # modules side by side; about a dozen is plenty
# Names that state a relation instead of a subject.
VAGUE = frozenset(
    """
    answering answers care common drafts elsewhere entries finding following gathering given helpers kept misc names own
    past places reading run said saved sights story stuff surroundings teller told tools utils words work
    """.split()
)


def modules() -> list[Path]:
    paths = (path for tree in TREES for path in (ROOT / tree).rglob("*.py"))
    return [path for path in paths if path.stem != "__init__"]


def test_no_folder_holds_more_modules_than_can_be_taken_in_at_a_glance():
    sizes = Counter(str(path.parent.relative_to(ROOT)) for path in modules())
    assert {folder: size for folder, size in sizes.items() if size > MOST} == {}


@pytest.mark.parametrize("tree", TREES)
def test_modules_are_named_for_what_they_hold(tree):
    names = {path: path.stem.removeprefix("test_") for path in (ROOT / tree).rglob("*.py")}
    vague = {str(path.relative_to(ROOT)) for path, name in names.items() if name in VAGUE}
    assert vague == set()

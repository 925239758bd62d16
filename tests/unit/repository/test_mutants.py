"""What `make mutants` tries: hand-made mutants of every SQL file, and samples of the areas, made by cosmic-ray."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/mutation"))

import areas as mutation  # noqa: E402
import sampling  # noqa: E402

LEAST_OF_A_FILE = 3
SPARK = "stream"  # Spark's queries: one start of Spark for each mutant would take longer than all others


def test_every_file_of_sql_has_at_least_three_mutants_and_every_fragment_stands_in_its_file() -> None:
    counts = Counter(mutant.path for mutant in mutation.hand_made() if mutant.area == "sql")
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "include/sql").rglob("*.sql") if path.parent.name != SPARK]
    assert [path for path in files if counts[path] < LEAST_OF_A_FILE] == []
    assert set(counts) == set(files)


def test_every_mutant_differs_from_its_file() -> None:
    mutants = mutation.hand_made()
    assert [mutant.path for mutant in mutants if mutant.original == mutant.mutated] == []
    assert len({(mutant.path, mutant.mutated) for mutant in mutants}) == len(mutants)


@pytest.mark.parametrize("area", mutation.areas(), ids=lambda area: area.name)
def test_the_files_and_the_tests_of_an_area_exist(area: mutation.Area) -> None:
    assert area.tests
    for tests in area.tests.values():
        for test in tests:
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), test
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_a_seed_gives_the_same_mutants_again_and_another_gives_others() -> None:
    (area,) = [area for area in mutation.areas() if area.name == "checkpoint"]
    mutants = sampling.sample(area, 7, 5)
    assert [mutant.change for mutant in sampling.sample(area, 7, 5)] == [mutant.change for mutant in mutants]
    assert [mutant.change for mutant in sampling.sample(area, 8, 5)] != [mutant.change for mutant in mutants]
    for mutant in mutants:
        assert ast.dump(ast.parse(mutant.mutated)) != ast.dump(ast.parse(mutant.original))


def test_annotations_decorators_and_log_lines_are_not_mutated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(
        "@cache(size=1)\ndef f(a: int | None = None) -> int | None:\n    log.info('x', 2)\n    return a < 3\n"
    )
    area = mutation.Area("sample", {"module.py": ["tests"]})
    assert {mutant.line for mutant in sampling.sample(area, 1, 100)} == {4}


def test_a_line_whose_mutants_are_equivalent_stands_in_its_file() -> None:
    for equivalent in mutation.equivalents():
        lines = (ROOT / equivalent.path).read_text(encoding="utf-8").splitlines()
        assert equivalent.line in [line.strip() for line in lines], equivalent
        assert equivalent.reason

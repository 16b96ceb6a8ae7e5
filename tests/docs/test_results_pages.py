"""Pages show the numbers of docs/results and the verdicts on docs/claims.yaml, and nothing typed by hand between the marks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pipeline_steps import docs, keep_results
from tests.made_up_results import kept
from vaeline.evaluation.catalogue import catalogue
from vaeline.report import kept_results, paper_claims, rendered_pages
from vaeline.report.recomputed import recomputed
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]
VALUES = {"nll": {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3]}}
PAGE = Path("README.md")
BLOCK = "<!-- results: tiny -->\n<!-- end of results -->"
EMPTY = "# A page\n\n<!-- results: tiny -->\n<!-- end of results -->\n\nAfter it.\n"


def test_pages_equal_their_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(docs.main, ["--check"])
    assert said.exit_code == 0, said.output


def test_kept_statistics_are_those_of_the_values_of_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m pipeline_steps.keep_results --statistics` computes them again if the code has changed."""
    monkeypatch.chdir(ROOT)
    for name in kept_results.names():
        there = kept_results.read(name)
        assert_close(recomputed(there).model_dump(mode="json"), there.model_dump(mode="json"))


@pytest.fixture
def commit(project: Path) -> str:
    """The commit of the project's code."""
    Path("vaeline").mkdir()
    Path("vaeline/model.py").write_text("1")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (["init", "--quiet"], ["add", "vaeline"], [*identity, "commit", "--quiet", "--message", "a"]):
        subprocess.run(["git", *words], check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def recompute(*words: str) -> str:
    return CliRunner().invoke(keep_results.main, ["--statistics", *words]).output


def test_statistics_are_computed_again_on_request(commit: str) -> None:
    right, metrics = kept(VALUES), kept(VALUES).comparison.metrics
    [pair] = metrics["nll"].pairs
    stale = metrics["nll"].model_copy(
        update={"pairs": [pair.model_copy(update={"half_width": 99.0, "claimed": False})]}
    )
    other = right.comparison.model_copy(update={"metrics": {**metrics, "nll": stale}})
    kept_results.write(right.model_copy(update={"comparison": other}))
    assert kept_results.read("tiny") != right
    assert "leave the name out" in recompute("tiny")
    Path("vaeline/model.py").write_text("2")
    assert "files differ from the last one: vaeline/model.py; commit them" in recompute()
    Path("vaeline/model.py").write_text("1")
    assert "tiny.json has its statistics as the code computes them now" in recompute()
    assert kept_results.read("tiny") == right.model_copy(update={"statistics": commit})
    assert "All kept results have their statistics" in recompute()


@pytest.mark.usefixtures("commit")
def test_statistics_need_the_commit_of_their_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the file would say that they are of the commit of the results."""
    before = kept_results.path_of("tiny").read_bytes()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert re.search("git cannot read the repository .*dubious ownership", recompute())
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
    shutil.rmtree(".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    assert "git knows none of this folder" in recompute()
    assert kept_results.path_of("tiny").read_bytes() == before


def assert_close(now: object, was: object) -> None:
    """The same but for rounding, which differs between processors."""
    if isinstance(was, dict) and isinstance(now, dict):
        assert now.keys() == was.keys()
        for key in was:
            assert_close(now[key], was[key])
    elif isinstance(was, list) and isinstance(now, list):
        assert len(now) == len(was)
        for one, other in zip(now, was, strict=True):
            assert_close(one, other)
    else:
        assert now == (pytest.approx(was, rel=1e-6, abs=1e-12) if isinstance(was, float) else was)


def test_each_claim_names_a_study_variants_and_metrics() -> None:
    claims = [claim for paper in paper_claims.load(ROOT / "docs/claims.yaml").values() for claim in paper.claims]
    studies = {
        name: yaml.safe_load((ROOT / f"studies/{name}.yaml").read_text())
        for name in {each.study for each in claims} - {""}
    }
    for claim in claims:
        assert not claim.study or {*claim.first, *claim.second} <= set(studies[claim.study]["study"]["variants"]), (
            claim.claim
        )
        for question in claim.questions:
            assert set(question.metric.split(" or ")) <= catalogue().metrics.keys(), claim.claim


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with a block of a study, which is rendered."""
    monkeypatch.chdir(tmp_path)
    kept_results.write(kept(VALUES))
    PAGE.write_text(EMPTY, encoding="utf-8")
    assert CliRunner().invoke(docs.main).output == "README.md is up to date now.\n"
    return tmp_path


def check() -> str:
    """What the check says; empty if the page is right."""
    return CliRunner().invoke(docs.main, ["--check"]).output


@pytest.mark.usefixtures("project")
def test_a_block_is_rendered_in_its_place_and_stays() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith("# A page\n\n<!-- results: tiny -->\n") and text.endswith(
        "<!-- end of results -->\n\nAfter it.\n"
    )
    assert "| `two` | 3.17 ± " in text and check() == ""


@pytest.mark.usefixtures("project")
def test_a_number_that_was_edited_in_a_page_is_refused() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace("3.17", "3.16"), encoding="utf-8")
    assert check() == "Error: README.md shows other numbers or words than the results of tiny say; run `make docs`.\n"
    CliRunner().invoke(docs.main)
    assert PAGE.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("project")
def test_a_page_of_another_commit_is_refused() -> None:
    kept_results.write(kept(VALUES, commit="beef" * 10))
    assert check() == (
        "Error: README.md shows the results of tiny of commit c0ffeec, and docs/results has those of beefbee; run `make docs`.\n"
    )


def test_a_ready_study_without_results_says_what_makes_them(project: Path) -> None:
    (project / "studies").mkdir()
    for seeds, overlay, quick, few in (
        ([0], "", "", ", three seeds in `study.seeds`"),
        ([0, 1, 2], "quick: {}\n", " QUICK=1", ""),
        ([0, 1, 2], "quick: {study: {seeds: [0]}}\n", " QUICK=1", ", three seeds in `study.seeds`"),
    ):
        (project / "studies/later.yaml").write_text(f"study: {{seeds: {seeds}}}\n{overlay}")
        text = rendered_pages.rendered(PAGE, EMPTY.replace("tiny", "later"))
        assert f"`later`: no results are kept yet; `make use STUDY=later{quick}`{few}, `make run` and" in text
    typed = "<!-- results: later -->\n| one | 3.17 |\n<!-- end of results -->\n"
    assert rendered_pages.rendered(PAGE, typed) == typed
    with pytest.raises(UserError, match="no results of 'later', which README.md shows,"):
        rendered_pages.rendered(
            PAGE, typed.replace("| one", f"{rendered_pages.RENDERED}\n| one")
        )  # they were kept once


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("marks", "why"),
    [
        (
            "<!-- results: tinny -->\n<!-- end of results -->",
            r"no results of 'tinny', which docs/page.md shows, .* did you mean tiny\? There are: tiny;",
        ),
        ("<!-- results: tiny -->\n", r"a block of results that does not end \('tiny'\)"),
        ("<!-- results: tiny -->\n<!-- end of claims -->", "ends a block of claims that does not begin"),
        (f"<!-- results: later -->\n{BLOCK}", r"a block of results that does not end \('later'\)"),
        ("<!-- end of results -->", "ends a block of results that does not begin"),
        ("<!-- result: tiny -->\n<!-- end of results -->", "ends a block of results that does not begin"),
        (f"{BLOCK}\n{BLOCK}", "two blocks of the results of 'tiny'"),
        ("<!-- results: -->\n<!-- end of results -->", "a block of results without a name"),
        ("<!--results: tinny-->\n<!-- end of results -->", "no results of 'tinny'"),
        ("<!-- claims: tiny -->\n<!-- end of claims -->", "There is no docs/claims.yaml"),
        (
            "<!-- Results: tiny -->\n<!-- end of Results -->",
            "'<!-- Results: tiny -->', which is no mark of a block: write it in lower",
        ),
        (f"  {BLOCK}", "'<!-- results: tiny -->', which is no mark of a block"),
        (
            "<!-- results: tiny -->\n3.17 <!-- end of results -->",
            "'<!-- end of results -->', which is no mark of a block",
        ),
        (
            "<!-- results: tiny --> here\n<!-- end of results -->",
            "'<!-- results: tiny -->', which is no mark of a block",
        ),
        ("<!-- tally: nf -->\n<!-- end of tally -->", "docs/page.md shows the tally 'nf'; there are: papers."),
        ("<!-- tally: papers -->\n<!-- end of tally -->", "There is no docs/claims.yaml"),
        ("<!-- results tiny -->\n<!-- end of results -->", "'<!-- results tiny -->', which is no mark of a block"),
        ("<!-- rows: tiny -->\n<!-- end of rows -->", "docs/page.md shows the rows 'tiny'; there are: reproduced."),
    ],
)
def test_wrong_marks_are_refused_and_no_page_is_written(marks: str, why: str) -> None:
    """Also a page that comes first, and would be rendered anew."""
    PAGE.write_text(EMPTY, encoding="utf-8")
    page = Path("docs/page.md")
    page.write_text(f"# A page\n\n{marks}\n", encoding="utf-8")
    said = CliRunner().invoke(docs.main)
    assert said.exit_code == 1 and re.search(why, said.output) and said.output.count("\n") == 1, said.output
    assert (PAGE.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")) == (EMPTY, f"# A page\n\n{marks}\n")


@pytest.mark.usefixtures("project")
def test_an_example_of_a_mark_and_a_remark_are_text() -> None:
    shown = [f"A block is `{BLOCK.splitlines()[0]}` and so on.", f"```markdown\n  {BLOCK}\n{BLOCK}\n```"]
    remarks = ["<!-- The results of 2026 follow. -->", "<!-- claims are in another file -->", "a <!-- note: none --> b"]
    text = EMPTY + "\n\n".join([*shown, *remarks])
    assert rendered_pages.rendered(PAGE, text) == text.replace(EMPTY, PAGE.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("damage", ["remove", "cut", "edit", "rename"])
def test_results_that_are_missing_or_damaged_are_refused_and_no_page_is_written(damage: str) -> None:
    path, text = kept_results.path_of("tiny"), PAGE.read_text(encoding="utf-8")
    content = path.read_text(encoding="utf-8")
    if damage == "remove":
        path.unlink()
    else:
        changed = {"cut": content[:-9], "edit": content.replace("c0ffee", "c0ffed"), "rename": content}[damage]
        path.write_text(changed, encoding="utf-8")
    if damage == "rename":
        path.rename(path.with_name("other.json"))
        PAGE.write_text(text := text.replace("results: tiny", "results: other"), encoding="utf-8")
    said = CliRunner().invoke(docs.main)
    why = {"remove": "There are no results of 'tiny'", "rename": "it holds the results of tiny"}.get(
        damage, "is damaged"
    )
    assert said.exit_code == 1 and why in said.output and said.output.count("\n") == 1, said.output
    assert PAGE.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("project")
def test_a_page_that_is_not_utf8_is_refused() -> None:
    Path("docs/page.md").write_bytes(b"\xff")
    said = CliRunner().invoke(docs.main)
    assert said.exit_code == 1 and "docs/page.md is not UTF-8" in said.output and said.output.count("\n") == 1

"""The page in a real browser: searching, a model's page, the live demo, the notebook."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from hubclient import Hub, Prediction
from hubclient.settings import Settings
from tests.e2e.material import DEMO, IMDB, PUBMED
from tests.web.browser import Scheme, Tab, opened_tab

# One worker: a browser and a server are started for all tests of this file.
pytestmark = pytest.mark.xdist_group("pages")
MODEL = f"/model/en/{DEMO}"
ARTICLES = f"/model/en/{PUBMED}"
TEXT = "Not bad at all, quite the contrary: « großartig »!"


@pytest.fixture(scope="module")
def hub(stocked: Path) -> Hub:
    return Hub(settings=Settings(cache_dir=stocked, offline=True), progress=False)


def names(page: Page) -> list[str]:
    return page.locator(".row > a").all_inner_texts()


def searched(page: Page, words: str) -> None:
    with page.expect_response(re.compile(r"/search\?")):
        page.get_by_role("searchbox").fill(words)


def total(page: Page) -> int:
    return int(page.locator(".total b").inner_text().split()[0].replace(",", ""))


def test_search_as_one_types(tab: Tab) -> None:
    page = tab.open("/")
    everything = total(page)
    assert everything > 10_000
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    with page.expect_response(re.compile(r"/search\?q=sst2$")):
        box.press_sequentially("sst2", delay=20)
    expect(page.locator(".row").first).to_contain_text("sst2")
    assert 0 < total(page) < everything
    assert page.url == f"{tab.home}/?q=sst2"
    found = names(page)
    # The address is all there is of the state: it gives the same page anew, without a script too.
    page.reload()
    assert names(page) == found
    expect(box).to_have_value("sst2")


def test_facets_and_the_way_back(tab: Tab) -> None:
    page = tab.open("/?q=sentiment")
    before = total(page)
    german = page.locator('[data-facet="language"] label', has=page.locator('input[value="de"]'))
    said = int(german.locator(".count").inner_text().replace(",", ""))
    german.click()
    expect(page.locator(".total b")).to_have_text(re.compile(rf"^{said} models?$"))
    assert page.url.endswith("/?q=sentiment&language=de")
    assert 0 < said < before
    # Another value of the same facet is an alternative: what its number says is added.
    french = page.locator('[data-facet="language"] label', has=page.locator('input[value="fr"]'))
    more = int(french.locator(".count").inner_text())
    french.click()
    expect(page.locator(".total b")).to_have_text(f"{said + more} models")
    page.get_by_label("Sort").select_option("size")
    expect(page).to_have_url(f"{tab.home}/?q=sentiment&language=de&language=fr&sort=size")
    page.go_back()
    page.go_back()
    expect(page.locator(".total b")).to_have_text(re.compile(rf"^{said} models?$"))
    expect(page.locator('input[value="de"]')).to_be_checked()
    expect(page.locator('input[value="fr"]')).not_to_be_checked()
    page.go_back()
    expect(page.locator(".total b")).to_have_text(f"{before} models")
    page.go_forward()
    page.get_by_text("Clear all filters").click()
    expect(page).to_have_url(f"{tab.home}/?q=sentiment")


def test_back_from_a_model(tab: Tab) -> None:
    page = tab.open("/")
    searched(page, DEMO)
    page.locator(".row > a").first.click()
    expect(page).to_have_url(f"{tab.home}{MODEL}")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value(DEMO)
    assert names(page)[0] == DEMO


def test_further_pages(tab: Tab) -> None:
    page = tab.open("/?task=text-classification&sort=date")
    first = names(page)
    page.get_by_role("link", name="Further").click()
    expect(page).to_have_url(re.compile("page=2$"))
    expect(page.locator(".row > a").first).not_to_have_text(first[0])
    assert not set(first) & set(names(page))


def test_sizes_in_order(tab: Tab) -> None:
    page = tab.open("/?sort=size&task=text-classification")
    sizes = [float(text) for text in re.findall(r"([\d.]+) MB", " ".join(page.locator(".row .facts").all_inner_texts()))]
    assert sizes == sorted(sizes)
    assert len(sizes) == 24


def test_near_names(tab: Tab) -> None:
    page = tab.open("/")
    searched(page, "bert_tiny_sequense_clasifier_sst2")
    expect(page.locator(".total")).to_contain_text("No model matches")
    page.locator(".near a", has_text=DEMO).first.click()
    expect(page.locator(".row > a").first).to_have_text(DEMO)


def test_a_model(tab: Tab) -> None:
    page = tab.open(MODEL)
    expect(page.locator("ol.classes li")).to_have_text(["neg", "pos"])
    expect(page.get_by_text("In class order, as the weights have them.")).to_be_visible()
    page.get_by_role("button", name="Copy the S3 URI").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("s3://auxdata.johnsnowlabs.com/public/models/")
    page.get_by_role("tab", name="Shell").click()
    shown = page.locator('[role="tabpanel"]:not([hidden]) code').inner_text()
    assert shown.startswith(f"hub predict en/{DEMO}")
    page.get_by_role("button", name="Copy the code").locator("visible=true").click()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    page.get_by_text("Why this card, and where it comes from").click()
    expect(page.locator(".explain")).to_contain_text("So: open")


def test_the_code_runs_as_it_stands(tab: Tab, stocked: Path, tmp_path: Path) -> None:
    from tests.e2e.shell import python

    page = tab.open(MODEL)
    code = page.locator('[role="tabpanel"] code').first.inner_text()
    done = python(code, env={"HUBCLIENT_CACHE": str(stocked), "HUBCLIENT_OFFLINE": "1"})
    assert (done.code, done.out.strip()) == (0, "pos"), done.err


def test_a_model_that_is_known_by_its_facts(tab: Tab) -> None:
    page = tab.open("/model/fr/xlm_roberta_base_sequence_classifier_allocine")
    expect(page.get_by_role("link", name="The whole card is on the Models Hub")).to_have_attribute(
        "href", re.compile(r"^https://sparknlp\.org/")
    )
    expect(page.get_by_text("As the card lists them")).to_be_visible()
    expect(page.get_by_role("button", name="Pull it and try")).to_be_visible()


def answered(page: Page, text: str) -> dict[str, float]:
    with page.expect_response(re.compile("/api/predict$")) as response:
        page.get_by_label("Text", exact=True).fill(text)
    said = response.value.json()
    return {one["label"]: one["score"] for one in said["scores"]}


def test_the_live_demo_says_what_python_says(tab: Tab, hub: Hub) -> None:
    page = tab.open(MODEL)
    expect(page.locator(".bars li")).to_have_count(2)
    prediction = hub.pretrained(DEMO, "en")(TEXT)
    assert isinstance(prediction, Prediction)
    assert answered(page, TEXT) == prediction.scores
    best = page.locator(".bars li.chosen")
    expect(best.locator(".label")).to_have_text(prediction.label)
    expect(best.locator(".score")).to_have_text(f"{prediction.score:.4f}")
    expect(page.locator("[data-took]")).to_have_text(re.compile(r"^[\d.]+ ms$"))


def test_a_threshold_for_several_labels(tab: Tab, hub: Hub) -> None:
    page = tab.open(ARTICLES)
    model = hub.pretrained(PUBMED, "en")
    expect(page.locator(".bars li").first).to_be_visible()
    scores = answered(page, TEXT)
    assert scores == model(TEXT).scores
    slider = page.get_by_label("Threshold")
    for threshold in (0.0, round(sorted(scores.values())[7], 2), 0.99):
        slider.fill(str(threshold))
        selected = sum(score > threshold for score in scores.values())
        expect(page.get_by_text(f"{selected} of 14 labels above {threshold:.2f}")).to_be_visible()
    # All labels are there to be seen, the best first.
    page.get_by_role("button", name="Show all 14 labels").click()
    ranked = sorted(scores, key=lambda label: -scores[label])
    expect(page.locator(".bars .label")).to_have_text(ranked)


def test_only_the_last_text_counts(tab: Tab) -> None:
    page = tab.open(MODEL)
    box = page.get_by_label("Text", exact=True)
    expect(page.locator(".bars li")).to_have_count(2)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or "") if request.url.endswith("/api/predict") else None)
    box.fill("")
    box.press_sequentially("a film that I liked", delay=5)
    expect(page.locator(".bars li.chosen .label")).to_have_text("pos")
    page.wait_for_timeout(400)
    assert json.loads(asked[-1])["text"] == "a film that I liked"
    assert len(asked) < 8


def test_a_file_of_texts(tab: Tab, hub: Hub, tmp_path: Path) -> None:
    texts = ["A warm, funny film.", 'He said "dull",\nand left.', "=1+1", "ünïcode 🎬"]
    source = tmp_path / "reviews.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "review"), *enumerate(texts)])
    page = tab.open(MODEL)
    tab.problems.clear()
    page.locator("#demo-file").set_input_files(source)
    expect(page.get_by_text("Which column holds the texts?")).to_be_visible()
    # The question is an answer with status 400, which the console of a browser always tells.
    assert [problem for problem in tab.problems if "400" not in problem] == []
    tab.problems.clear()
    page.get_by_label("Column with the texts").select_option("review")
    link = page.get_by_role("link", name="Download reviews.predicted.csv")
    with page.expect_download() as download:
        link.click()
    with Path(download.value.path()).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    predictions = hub.pretrained(DEMO, "en")(texts)
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows] == [prediction.label for prediction in predictions]
    assert [float(row["neg"]) for row in rows] == pytest.approx([one.scores["neg"] for one in predictions], abs=1e-6)


def test_the_notebook(tab: Tab) -> None:
    page = tab.open(MODEL)
    with page.expect_download() as download:
        page.get_by_role("link", name="Open as notebook").click()
    assert download.value.suggested_filename == f"en_{DEMO}.ipynb"
    notebook = nbformat.read(download.value.path(), as_version=4)
    nbformat.validate(notebook)
    assert f'pretrained("{DEMO}", "en")' in notebook.cells[3].source


def test_by_keyboard_alone(tab: Tab) -> None:
    page = tab.open("/")
    press, type_ = page.keyboard.press, page.keyboard.type
    with page.expect_response(re.compile("sst2$")):
        type_(DEMO)
    expect(page.locator(".row > a").first).to_have_text(DEMO)
    _tab_to(page, f'.row > a[href="{MODEL}"]')
    press("Enter")
    expect(page).to_have_url(f"{tab.home}{MODEL}")
    press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    press("Enter")
    _tab_to(page, "#demo-text")
    press("Control+A")
    with page.expect_response(re.compile("/api/predict$")):
        type_("terrible")
    expect(page.locator(".bars li.chosen .label")).to_have_text("neg")
    _tab_to(page, '[role="tab"]')
    press("ArrowRight")
    expect(page.get_by_role("tab", name="Shell")).to_be_focused()
    expect(page.locator('[role="tabpanel"]:not([hidden])')).to_contain_text("hub predict")
    # What has the focus can be seen to have it.
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not lead to {selector}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize(
    "path",
    [
        "/?q=pubmed",
        MODEL,
        ARTICLES,
        f"/model/en/{IMDB}",
        "/model/en/bert_qa_xtremedistil_l6_h256_uncased_natural_questions_short",
        "/store",
    ],
)
def test_every_page_can_be_read(path: str, width: int, scheme: Scheme, browser: Browser, home: str) -> None:
    with opened_tab(browser, home, width=width, scheme=scheme) as tab:
        page = tab.open(path)
        if path in (MODEL, ARTICLES):
            expect(page.locator(".bars li").first).to_be_visible()
            page.get_by_text("Why this card, and where it comes from").click()
        page.wait_for_timeout(150)  # until bars have grown
        assert tab.too_wide() == []
        assert tab.unreadable() == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(18, 23, 28)" if scheme == "dark" else "rgb(255, 255, 255)")


def test_filters_on_a_small_screen(browser: Browser, home: str) -> None:
    with opened_tab(browser, home, width=360) as tab:
        page = tab.open("/?q=sentiment")
        expect(page.locator("#facets")).to_be_hidden()
        page.get_by_role("button", name="Filters").click()
        page.locator('[data-facet="language"] label', has=page.locator('input[value="de"]')).click()
        expect(page).to_have_url(f"{home}/?q=sentiment&language=de")
        expect(page.locator("#facets")).to_be_visible()


def test_without_a_script(browser: Browser, home: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{home}/")
    page.get_by_role("searchbox").fill(DEMO)
    page.get_by_role("button", name="Search").click()
    assert names(page)[0] == DEMO
    page.locator(".row > a").first.click()
    expect(page.locator("noscript p")).to_be_visible()
    context.close()


def test_what_is_not_there(tab: Tab) -> None:
    page = tab.open("/model/en/no_such_model")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page = tab.open("/nowhere")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    assert len(tab.problems) == 2
    tab.problems.clear()

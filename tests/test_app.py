"""The demo page: what it reads from a canvas, its frames, and a person's clicks in a browser."""

import io
import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import visualize
from keras_pixelrnn.app import canvas
from keras_pixelrnn.app.demo import EACH, Demo
from tests.conformance import randomised

pytestmark = pytest.mark.graphs
GREY, COLOUR = (6, 5, 1), (4, 5, 3)


@pytest.fixture(scope="module")
def grey():
    head = kp.distributions.Categorical(5)
    return Demo(randomised(kp.models.PixelCNN(GREY, head, units=4, num_blocks=1)), count=2)


@pytest.fixture(scope="module")
def labelled():
    head = kp.distributions.Bernoulli()
    model = kp.models.PixelCNN((4, 5, 1), head, units=4, num_blocks=1, num_classes=3)
    return Demo(randomised(model, scale=1.0), count=3)


@pytest.mark.parametrize(("shape", "levels"), [(GREY, 17), (COLOUR, 256), (COLOUR, 5), (GREY, 2)])
def test_a_canvas_gives_back_the_image(shape, levels, rng):
    image = rng.integers(0, levels, shape).astype(np.uint8)
    known = rng.random(shape[:2]) < 0.5
    painted = canvas.paint(image, known, levels)
    assert painted.shape == (*(canvas.scale(shape) * size for size in shape[:2]), 4)
    found, given = canvas.read(painted, [], shape, levels)
    np.testing.assert_array_equal(given, known)
    np.testing.assert_array_equal(found[known], image[known])


def test_strokes_hide_and_show(rng):
    image = rng.integers(0, 17, GREY).astype(np.uint8)
    painted = canvas.paint(image, np.ones(GREY[:2], bool), 17)
    size = canvas.scale(GREY)
    strokes = np.zeros_like(painted)
    strokes[: 2 * size] = (*canvas.HIDE, 255)
    strokes[:size, :size] = 255  # white over pink
    strokes[2 * size : 2 * size + size // 3] = (*canvas.HIDE, 255)  # a third of a row's height
    strokes[3 * size :] = (0, 0, 0, 100)  # thinner than half, as the edge of a brush
    found, known = canvas.read(painted, [strokes], GREY, 17)
    expected = np.ones(GREY[:2], bool)
    expected[:2] = False
    expected[0, 0] = True
    np.testing.assert_array_equal(known, expected)
    assert found[0, 0, 0] == 16
    np.testing.assert_array_equal(found[2:], image[2:])
    pink = np.full_like(painted, 255)
    pink[..., :3] = canvas.HIDE
    assert canvas.read(pink, [], GREY, 17)[1].all()  # a photograph's own pink hides nothing
    assert not canvas.read(None, [], GREY, 17)[1].any()


def test_a_photograph_is_averaged():
    photograph = np.full((600, 500, 4), 255, np.uint8)
    photograph[::2, :, :3] = 0
    found, known = canvas.read(photograph, [], GREY, 256)
    assert known.all()
    assert abs(found.astype(int) - 127).max() <= 2


def painted(demo, **options):
    return {"background": demo.example(3, **options), "layers": []}


def test_the_last_frame_is_the_completion(grey):
    model = grey.model
    shown = list(grey.complete(painted(grey), 7, 0.5))
    image, known = canvas.read(grey.example(3), [], GREY, 5)
    assert known.sum() == 15
    drawn = model.complete(np.repeat(image[None], 2, axis=0), known, seed=7, temperature=0.5)
    np.testing.assert_array_equal(shown[-1].pictures, grid(grey, visualize.to_rgb(drawn, 5)))
    cost = model.log_prob(drawn)
    assert f"{cost[0]:.1f}, {cost[1]:.1f} nats" in shown[-1].text
    assert shown[-1].nats.shape == shown[-1].pictures.shape
    assert shown[-1].nats.max() == 255
    assert all(frame.nats is None for frame in shown[:-1])


def grid(demo, rgb):
    return visualize.grid(rgb, scale=168 // max(demo.model.image_shape[:2]))


def test_frames_are_what_has_been_drawn(grey, monkeypatch):
    """Rows are drawn when they are asked for, and each frame shows those drawn and nothing else."""
    drawn, complete_rows = [], grey.model.complete_rows

    def logged(*args, **options):
        for part in complete_rows(*args, **options):
            drawn.append(part)
            yield part

    monkeypatch.setattr(grey.model, "complete_rows", logged)
    *frames, last = ((frame, len(drawn)) for frame in grey.complete(painted(grey), 7))
    assert [count for _, count in frames] == [0, 4, 5, 6]  # the upper half, three rows, is known
    whole = last[0].pictures
    size = 168 // 6
    for frame, count in frames:
        hidden = (frame.pictures == visualize.UNKNOWN).all(axis=-1)
        np.testing.assert_array_equal(frame.pictures[~hidden], whole[~hidden])
        rows = hidden.any(axis=1).sum() / size
        assert rows == 6 - max(count, 3)


def test_the_small_image_grows_first():
    head = kp.distributions.Bernoulli()
    model = kp.models.MultiScalePixelRNN((4, 6, 1), head, units=4, num_blocks=1)
    seen = np.stack(list(Demo(model)._growing(np.zeros((4, 6), bool))))
    half = seen[seen.sum(axis=(1, 2)) == 6]
    assert half.shape[0] == 1
    assert half[0, ::2, ::2].all()
    with pytest.raises(ValueError, match="Use `complete`"):
        model.complete_rows(np.zeros((1, 4, 6, 1), np.uint8), np.zeros((4, 6), bool), seed=0)


def test_labels(labelled):
    assert labelled.labels() == [EACH, "0", "1", "2"]
    image, known = canvas.read(labelled.example(3, label="1"), [], (4, 5, 1), 2)
    images = np.repeat(image[None], 3, axis=0)
    pictures = []
    for label, context in [("2", 2), (EACH, [0, 1, 2])]:
        *_, last = labelled.complete(painted(labelled, label="1"), 7, 1.0, label)
        drawn = labelled.model.complete(images, known, seed=7, context=np.array(context))
        np.testing.assert_array_equal(
            last.pictures, grid(labelled, visualize.to_rgb(drawn, levels=2))
        )
        pictures.append(last.pictures)
    assert (pictures[0] != pictures[1]).any()


def test_what_the_page_has_no_means_for(grey):
    whole = canvas.paint(np.zeros(GREY, np.uint8), np.ones(GREY[:2], bool), 5)
    with pytest.raises(ValueError, match="Nothing is hidden"):
        next(grey.complete({"background": whole, "layers": []}, 0))
    for seed in (None, -1, 0.5):
        with pytest.raises(ValueError, match="seed must be a whole number"):
            next(grey.complete(painted(grey), seed))
    head = kp.distributions.Bernoulli()
    with pytest.raises(ValueError, match="Received: 2 channels"):
        Demo(kp.models.PixelCNN((4, 5, 2), head, units=4, num_blocks=1))
    with pytest.raises(ValueError, match="cannot give"):
        Demo(kp.models.PixelCNN((4, 5, 1), head, units=4, num_blocks=1, context_shape=(2,)))


def test_without_gradio(grey, monkeypatch):
    from keras_pixelrnn.app import page

    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-pixelrnn\[app\]'"):
        page.page(grey, "grey")


def test_the_command_listens_here_alone_unless_told(grey, monkeypatch):
    from keras_pixelrnn.app import page
    from keras_pixelrnn.cli import app

    served, ended = [], []

    def serve(*arguments):
        served.append(arguments)
        return "http://there", lambda: ended.append(True)

    monkeypatch.setattr(kp.models, "from_preset", lambda name: grey.model)
    monkeypatch.setattr(page, "serve", serve)
    there = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: name))  # Gradio, or not
    monkeypatch.setattr(app, "importlib", there)
    at_once = SimpleNamespace(wait=lambda: None)
    monkeypatch.setattr(app, "threading", SimpleNamespace(Event=lambda: at_once))
    for options, where in [([], ("127.0.0.1", 7860)), (["--host", "::", "--port", 9], ("::", 9))]:
        result = CliRunner().invoke(app.command, ["digits", *map(str, options)])
        assert "digits: http://there" in result.output
        assert served.pop()[1:] == ("digits", *where)
        assert ended.pop()


@pytest.fixture
def browser():
    """Headless Chromium that reaches this machine only and writes down what it asks for.

    With SCREENSHOTS set to a folder, `page.png` in it is what it saw at the end."""
    pytest.importorskip("gradio")
    webdriver = pytest.importorskip("selenium.webdriver")
    if not shutil.which("chromedriver"):
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--window-size=1180,1000",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.mark.slow
def test_in_a_browser(browser, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    from keras_pixelrnn.app import page

    model = kp.models.from_preset("digits")
    demo = Demo(model)
    demo.warm_up()
    address, end = page.serve(demo, "digits", "127.0.0.1", 7871)
    wait = WebDriverWait(browser, 60)

    def find(selector):
        return wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def picture_of(name):
        """Pixels of a picture on the page; None before there is one."""
        found = browser.find_elements(By.CSS_SELECTOR, f"#{name} img")
        if not found or not found[0].get_attribute("src"):
            return None
        script = (
            "const done = arguments[1];"
            "fetch(arguments[0]).then(r => r.arrayBuffer()).then(b => done([...new Uint8Array(b)]))"
        )
        data = browser.execute_async_script(script, found[0].get_attribute("src"))
        return np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"))

    def completed():
        """Clicks, watches frames until the text is there, and gives the last pictures."""
        before = browser.find_element(By.CSS_SELECTOR, "#said").text
        find("#complete").click()
        unknown = []
        while True:
            said = browser.find_element(By.CSS_SELECTOR, "#said").text
            if "log p" in said and said != before:
                return picture_of("pictures"), unknown, said
            if "log p" not in said and (shown := picture_of("pictures")) is not None:
                unknown.append(int((shown == visualize.UNKNOWN).all(axis=-1).sum()))
            time.sleep(0.02)

    try:
        browser.get(address)
        find("#canvas canvas")
        time.sleep(2)
        pictures, unknown, said = completed()
        image, known = canvas.read(demo.example(0), [], model.image_shape, demo.levels)
        drawn = model.complete(np.repeat(image[None], 4, axis=0), known, seed=0)
        np.testing.assert_array_equal(pictures, grid(demo, visualize.to_rgb(drawn, demo.levels)))
        assert len(set(unknown)) > 3, "no frames were seen"
        assert unknown == sorted(unknown, reverse=True)
        # A pink stroke over the upper half, and another seed.
        paper = find("#canvas canvas")
        brush = ActionChains(browser).move_to_element_with_offset(paper, -60, -60)
        brush.click_and_hold().move_by_offset(60, 0).move_by_offset(60, 9).release().perform()
        time.sleep(1)
        seed = find("#seed input")
        seed.clear()
        seed.send_keys("5")
        other, unknown, _ = completed()
        assert (other != pictures).any()
        tile = 168 + 2  # the first completion: which rows of the upper half changed?
        upper = slice(2, 2 + 84)
        assert (other[upper, :tile] != pictures[upper, :tile]).any(), "the stroke hid nothing"
        folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
        browser.save_screenshot(folder / "page.png")
        # Everything the browser asked for came from here, and the page complained of nothing.
        asked = [
            json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
        ]
        urls = [
            entry["params"]["request"]["url"]
            for entry in asked
            if entry["method"] == "Network.requestWillBeSent"
        ]
        assert urls
        own = ("http://127.0.0.1:7871", "data:", "blob:")
        assert [url for url in urls if not url.startswith(own)] == []
        assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    finally:
        end()

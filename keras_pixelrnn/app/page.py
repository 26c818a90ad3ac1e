"""The page itself. Everything on it comes from this machine, and the browser is told to see to that."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_pixelrnn.app import canvas
from keras_pixelrnn.app.demo import EACH, Demo

PACE = 1 / 12  # seconds of a frame at least: drawing would be over before it is seen
# The browser loads nothing from elsewhere and tells nobody anything, whatever a page asks it to.
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; object-src 'none'"
)
HOW = (
    "Paint with the brush: **pink hides**, any other colour makes known. What is hidden (transparent) "
    "is drawn by the model, given what comes before it, row by row from the top left corner."
)


def _gradio():
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import gradio
    except ImportError as error:
        raise ImportError("The page needs Gradio: pip install 'keras-pixelrnn[app]'") from error
    return gradio


def page(demo: Demo, title: str) -> Any:
    """The page as `gradio.Blocks`.

    Raises:
        ImportError: there is no Gradio.
    """
    gr = _gradio()
    height, width, channels = demo.model.image_shape
    size = canvas.scale(demo.model.image_shape)
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        gr.Markdown(f"# {title}\n{HOW}")
        with gr.Row():
            with gr.Column():
                editor = gr.ImageEditor(
                    value=_painted(demo.example(0)),
                    label=f"{width} x {height} pixels",
                    type="numpy",
                    format="png",
                    sources=["upload", "clipboard"],
                    transforms=(),
                    layers=False,
                    canvas_size=(width * size, height * size),
                    fixed_canvas=True,
                    height=canvas.SIDE + 130,
                    brush=gr.Brush(default_size=size, colors=_colours(demo.levels, channels)),
                    elem_id="canvas",
                )
                with gr.Row():
                    fresh = gr.Button("New image", elem_id="fresh")
                    clear = gr.Button("Hide everything", elem_id="clear")
                with gr.Row():
                    seed = gr.Number(0, label="seed", precision=0, minimum=0, elem_id="seed")
                    temperature = gr.Slider(0.1, 2.0, 1.0, step=0.05, label="temperature")
                    label = gr.Dropdown(
                        demo.labels(), value=EACH if demo.classes else None, label="label"
                    )
                    label.visible = bool(demo.classes)
                draw = gr.Button("Complete", variant="primary", elem_id="complete")
            with gr.Column():
                options = {"interactive": False, "format": "png", "show_label": False}
                gr.Markdown("Completions")
                pictures = gr.Image(elem_id="pictures", buttons=["download"], **options)
                said = gr.Markdown(elem_id="said")
                gr.Markdown("Where their nats are paid")
                nats = gr.Image(elem_id="nats", buttons=["download"], **options)
        controls = [seed, temperature, label]
        draw.click(
            _shown(gr, demo), [editor, *controls], [pictures, nats, said], show_progress="hidden"
        )
        fresh.click(
            _or_error(gr, lambda *chosen: _painted(demo.example(*chosen))), controls, editor
        )
        clear.click(lambda: _painted(demo.empty()), None, editor)
    return blocks


def serve(demo: Demo, title: str, host: str, port: int) -> tuple[str, Callable[[], None]]:
    """Start the page in threads of its own.

    Args:
        demo, title: of the page.
        host, port: to listen on.

    Returns:
        The address, and a function that ends it.

    Raises:
        ImportError: there is no Gradio.
        OSError: the port is taken.
    """
    gr = _gradio()
    from starlette.middleware import Middleware

    blocks = page(demo, title)
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        ssr_mode=False,
        enable_monitoring=False,
        footer_links=[],
        max_file_size="16mb",
        theme=gr.themes.Default(font="system-ui", font_mono="monospace"),
        app_kwargs={"middleware": [Middleware(Closed)], "docs_url": None, "redoc_url": None},
    )
    return address, blocks.close


class Closed:
    """ASGI middleware: every answer carries `POLICY`."""

    def __init__(self, app: Callable):
        self.app = app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        async def told(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self.app(scope, receive, told)


def _painted(rgba: np.ndarray) -> dict[str, Any]:
    return {"background": rgba, "layers": [], "composite": rgba}


def _colours(levels, channels):
    """Of the brush: what hides, then black, white and between."""
    greys = [0, 255] if levels == 2 else [0, 255, 64, 128, 192]
    own = [(grey, grey, grey) for grey in greys]
    if channels == 3:
        own += [(200, 40, 40), (40, 160, 60), (40, 80, 200), (230, 200, 60)]
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in [canvas.HIDE, *own]]


def _shown(gr, demo):
    def run(painted, seed, temperature, label):
        try:
            for shown in demo.complete(painted, seed, temperature, label):
                yield shown.pictures, shown.nats, shown.text
                time.sleep(PACE)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return run


def _or_error(gr, function):
    def run(*arguments):
        try:
            return function(*arguments)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return run

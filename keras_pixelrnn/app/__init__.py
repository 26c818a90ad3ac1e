"""The demo page of `pixelrnn app`: hide a part of an image and watch completions grow (Gradio)."""

"""What MkDocs asks while it builds: pages made from the package, links out of the documentation."""

import importlib
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
RESULTS = "<!-- results: a section for each trained model -->"
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
PICTURES = ("samples.png", "completions.png", "learning_curve.png")


def on_files(files, config):
    """Adds the reference, a page for each public module, and the pictures of trained models."""
    for name, text in reference().items():
        files.append(File.generated(config, f"api/{name}.md", content=text))
    for path in sorted(ROOT.glob("saved_models/*/*.png")):
        if path.name in (*PICTURES, "anomaly.png"):
            source = f"results/{path.parent.name}/{path.name}"
            files.append(File.generated(config, source, abs_src_path=str(path)))
    return files


def reference():
    """`{module: page}` for everything public, by `__all__`."""
    package = importlib.import_module("keras_pixelrnn")
    pages = {}
    for name in package.__all__:
        module = getattr(package, name)
        lines = [f"# {name}", "", *module.__doc__.strip().splitlines(), ""]
        if hasattr(module, "__all__"):
            for member in map(lambda own: getattr(module, own), module.__all__):  # noqa: C417
                lines += _entry(module, member)
        else:
            lines += [
                f"::: {module.__name__}",
                "    options:",
                "      show_root_heading: false",
                "",
            ]
            lines += ["      show_root_toc_entry: false", ""]
        pages[name] = "\n".join(lines)
    return pages


def _taken_in(module, member):
    """Names of methods from parts of a class that have no entry of their own."""
    public = [getattr(module, name) for name in module.__all__]
    bases = [x for x in public if isinstance(x, type) and issubclass(member, x) and x is not member]
    told = {part for base in bases for part in base.__mro__}
    own = [x for x in member.__mro__[1:] if x.__module__.startswith("keras_pixelrnn")]
    return [
        name
        for part in own
        if part not in told
        for name, value in vars(part).items()
        if not name.startswith("_") and value.__doc__
    ]


def _entry(module, member):
    """The lines of one public member: by where it is defined, which is what griffe reads."""
    if hasattr(member, "__qualname__") and member.__module__.startswith("keras_pixelrnn"):
        lines = [f"::: {member.__module__}.{member.__qualname__}"]
        if isinstance(member, type):  # and what it has from classes that are not shown themselves
            lines += ["    options:", f"      inherited_members: {_taken_in(module, member)}"]
        return [*lines, ""]
    if hasattr(member, "__name__"):
        return [f"::: {member.__name__}", ""]
    return []


def on_page_markdown(markdown, page, config, files):
    """Fills in the results; a link to a file outside the documentation becomes its path."""
    if RESULTS in markdown:
        markdown = markdown.replace(RESULTS, results())
    here = posixpath.dirname(page.file.src_uri)

    def outside(match):
        text, target, _ = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join("docs", here, target))
        if path.startswith("docs/") or not (ROOT / path).exists():
            return match[0]
        return f"{text} (`{path}`)" if text.strip("`") != path else f"`{path}`"

    return LINK.sub(outside, markdown)


def results():
    """A table of all trained models that come along, and a section for each: its card, its pictures."""
    from keras_pixelrnn import presets
    from keras_pixelrnn.presets.card import architecture, score

    lines = [
        "| name | data | model | parameters | test | paper |",
        "|---|---|---|---|---|---|",
    ]
    sections = []
    for name in presets.names():
        facts = presets.facts(name)
        data = facts.get("dataset", {}).get("name", "")
        lines.append(
            f"| [{name}](#{name}) | {data} | {architecture(facts)} | {facts['parameters']:,} | "
            f"{score(facts)} | {facts.get('paper') or '-'} |"
        )
        sections += _section(name, facts)
    return "\n".join([*lines, "", *sections])


def _section(name, facts):
    from keras_pixelrnn.presets.card import card

    pictures = tuple(x for x in PICTURES if (ROOT / "saved_models" / name / x).is_file())
    text = card(facts, pictures).replace("](", f"](results/{name}/")
    text = text.replace(f"](results/{name}/http", "](http")
    return [re.sub(r"^# .*$", f"### {name} {{#{name}}}", text, count=1, flags=re.M)]

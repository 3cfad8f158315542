"""Pages out of Jinja templates, which escape whatever they are given, and programs, which are escaped on a page."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from soapsvc import __version__
from soapsvc.console.assets import Assets
from soapsvc.console.request import HTML, Answer, Request

TABS = (
    ("", "How to call it"),
    ("/try", "Try it"),
    ("/performance", "Performance"),
)  # the pages of one model: what follows its path, and the title


class Templates:
    """Renders the templates of `soapsvc/console/templates`, each of which extends `base.html`."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("soapsvc.console"), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False, keep_trailing_newline=True,
        )  # fmt: skip
        self._environment.globals |= {"asset": assets.address, "release": __version__, "tabs": TABS}
        self._environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
        for name in self._environment.list_templates():
            self._environment.get_template(name)  # compiled at start, not at the first call

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Answer:
        """Return a page. Templates also have `root`: every address of this server follows it."""
        text = self._environment.get_template(template).render(root=request.root, path=request.path, **values)
        return Answer(status, HTML, text.encode())

    def text(self, template: str, **values: Any) -> str:
        """Return what is no page, as a program."""
        return self._environment.get_template(template).render(**values)

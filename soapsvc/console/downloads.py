"""What a model's page gives as files: sample requests, a sample's content, projects to build, the SoapUI project."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence

from soapsvc.console.console import MODEL, Route
from soapsvc.console.model_page import Chosen, ModelPages, first_sample
from soapsvc.console.request import Answer, Request
from soapsvc.console.samples import Sample
from soapsvc.console.snippets.guides import archive
from soapsvc.console.snippets.literals import files
from soapsvc.errors import LoadError, ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.soap.inference import NAMES
from soapsvc.soapui.cases import cases
from soapsvc.soapui.project import project

XML = "text/xml; charset=utf-8"
_OPERATION = r"(?P<operation>[A-Za-z]+)"


class Downloads:
    """The addresses below a model's page that a tool fetches rather than a reader."""

    def __init__(self, pages: ModelPages, manager: ModelManager) -> None:
        self._pages, self._manager = pages, manager

    def routes(self) -> Sequence[Route]:
        """Return them."""
        return [
            Route(rf"{MODEL}/samples/{_OPERATION}\.xml", self._request),
            Route(rf"{MODEL}/samples/{_OPERATION}/(?P<field>[A-Za-z0-9_]+)", self._content),
            Route(rf"{MODEL}/projects/(?P<guide>[a-z-]+)\.zip", self._archive),
            Route(rf"{MODEL}/soapui\.xml", self._soapui),
        ]

    def _request(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        sample = self._sample(request, places)
        return None if sample is None else Answer(200, XML, sample.request.encode())

    def _content(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        sample = self._sample(request, places)
        found = [each for each in sample.values if each.field.name == places["field"]] if sample else []
        if not found or found[0].field.type != "base64Binary":
            return None
        return _attached("application/octet-stream", b64decode(found[0].text or ""), places["field"])

    def _archive(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        chosen = self._pages.chosen(request, places["model"])
        guides = self._pages.guides(request, chosen) if chosen else []
        guide = next((each for each in guides if each.key == places["guide"] and each.project), None)
        if chosen is None or guide is None:
            return None
        model = places["model"]
        wsdl = chosen.soap11.wsdl_at(request.base_url + chosen.soap11.names.path(chosen.soap11.soap))
        place = f"src/main/resources/{model}.wsdl" if guide.key.startswith("java") else f"{model}.wsdl"
        sample = first_sample(self._pages.samples.of(chosen.soap11))
        content = {each.field.name: b64decode(each.text or "") for each in files(sample.values if sample else ())}
        return _attached("application/zip", archive(guide, {place: wsdl, **content}), f"{model}-{guide.key}.zip")

    def _soapui(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return a project whose assertions hold what the model answers now; the generic service has none."""
        chosen = self._pages.chosen(request, places["model"])
        if chosen is None or places["model"] == NAMES.model:
            return None
        try:
            with self._manager.handle(places["model"], contract=chosen.shown.names.version) as servable:
                made = project(chosen.shown, request.base_url, cases(chosen.shown, servable))
        except (LoadError, ModelNotFound, Unavailable):
            return None
        return _attached("application/xml", made, f"{places['model']}-soapui-project.xml")

    def _sample(self, request: Request, places: Mapping[str, str]) -> Sample | None:
        chosen: Chosen | None = self._pages.chosen(request, places["model"])
        samples = self._pages.samples.of(chosen.shown) if chosen else []
        return next((each for each in samples if each.operation.name == places["operation"]), None)


def _attached(content_type: str, body: bytes, name: str) -> Answer:
    return Answer(200, content_type, body, {"Content-Disposition": f'attachment; filename="{name}"'})

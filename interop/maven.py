"""Class paths from Maven Central: what a client's tools and libraries are, each with all it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from interop.tools import ONE_AT_A_TIME, run

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.soapsvc.interop</groupId>
  <artifactId>{name}</artifactId>
  <version>1</version>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = (
    "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version><type>{}</type>"
    "<classifier>{}</classifier></dependency>"
)
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"


def class_path(folder: Path, coordinates: Sequence[str]) -> str:
    """Return the class path of artifacts given as `group:artifact:version[:type[:classifier]]`.

    folder keeps the answer, so that Maven is asked again only for other coordinates. Raises CannotRun.
    """
    pom, kept = folder / "pom.xml", folder / "class-path.txt"
    parts = [_parts(coordinate) for coordinate in coordinates]
    wanted = _POM.format(name=folder.name, dependencies="\n".join(_DEPENDENCY.format(*part) for part in parts))
    if not (kept.is_file() and pom.read_text() == wanted and all(map(_exists, kept.read_text().split(":")))):
        pom.write_text(wanted)
        with ONE_AT_A_TIME:
            run(["mvn", "-q", "-B", "-f", pom, _PLUGIN, f"-Dmdep.outputFile={kept}"], folder, timeout_s=600)
    return kept.read_text()


def _parts(coordinate: str) -> tuple[str, ...]:
    group, artifact, version, *rest = coordinate.split(":")
    kind, classifier = (*rest, *("jar", "")[len(rest) :])
    return group, artifact, version, kind, classifier


def _exists(path: str) -> bool:
    return Path(path).is_file()

"""What the Java clients share: class paths, generated stubs, compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from interop.client import PROGRAMS, Workplace
from interop.models import MODELS
from interop.tools import fresh, need, run

JAVA = PROGRAMS / "java"
_PACKAGES = ("openjdk-17-jdk-headless", "maven")
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dfile.encoding=UTF-8")
Change = Callable[[str], str]


def need_java() -> None:
    """Have a JDK and Maven. Raises CannotRun."""
    need(("java", "javac", "mvn"), _PACKAGES)


def stubs_of(place: Workplace) -> list[str]:
    """Return WSDL and package of each contract: stubs.kinds, and stubs.kinds12 for SOAP 1.2."""
    found = []
    for model in MODELS:
        name = model.replace("-", "")
        found += [str(place.wsdls / f"{model}.wsdl"), f"stubs.{name}"]
        found += [str(place.wsdls / f"{model}.soap12.wsdl"), f"stubs.{name}12"]
    return found


def launch(class_path: str, main: str | Path, *arguments: str | Path, options: Iterable[str] = ()) -> list[str]:
    """Return the command that runs a class or a single source file."""
    return ["java", *_QUICK, *options, "-cp", class_path, str(main), *map(str, arguments)]


def generate(place: Workplace, class_path: str, program: Path, options: Iterable[str] = ()) -> Path:
    """Run a program that makes stubs of every WSDL, and return the folder of their sources. Raises CannotRun."""
    sources = fresh(place.folder / "source")
    run(launch(class_path, program, sources, *stubs_of(place), options=options), place.folder, timeout_s=300)
    return sources


def copy_sources(programs: Sequence[Path], folder: Path, change: Change) -> list[Path]:
    """Write programs into a folder, each changed, and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    for program in programs:
        (folder / program.name).write_text(change(program.read_text(encoding="utf-8")), encoding="utf-8")
    return [folder / program.name for program in programs]


def to_javax(source: str) -> str:
    """Return a source with the packages that Jakarta renamed under their old names."""
    return source.replace("jakarta.xml.", "javax.xml.").replace("jakarta.jws", "javax.jws")


def compile_java(place: Workplace, class_path: str, sources: Path, kept: Iterable[str]) -> str:
    """Compile sources, of the stubs only the packages kept, and return the class path to run them. Raises CannotRun."""
    classes = fresh(place.folder / "classes")
    names = set(kept)
    files = [
        file
        for file in sorted(sources.rglob("*.java"))
        if file.parent.parent.name != "stubs" or file.parent.name in names
    ]
    listed = place.folder / "files.txt"
    listed.write_text("\n".join(map(str, files)))
    command = ["javac", "-J-XX:TieredStopAtLevel=1", "-nowarn", "-encoding", "UTF-8", "-proc:none", "-cp", class_path]
    run([*command, "-d", classes, f"@{listed}"], place.folder, timeout_s=300)
    return f"{classes}:{class_path}"

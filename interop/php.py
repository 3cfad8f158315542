"""PHP's SoapClient."""

from __future__ import annotations

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace
from interop.tools import CannotRun, need, run

_READ = "foreach (glob($argv[1] . '/*.wsdl') as $w) new SoapClient($w, ['cache_wsdl' => WSDL_CACHE_NONE]);"


def build(place: Workplace) -> Built:
    """Read every WSDL; there is nothing to generate."""
    need(("php",), ("php-cli", "php-soap"))
    if "soap" not in run(["php", "-m"], place.folder).split():
        raise CannotRun("PHP's module soap is missing; install it with: apt-get install php-soap")
    run(["php", "-r", _READ, place.wsdls], place.folder)
    version = run(["php", "-r", "echo PHP_VERSION;"], place.folder)
    return Built(f"PHP {version}", ["php", PROGRAMS / "php.php"], {"wsdl": Cell(Verdict.YES)})


CLIENT = Client(
    "php", "PHP", build,
    lacks=dict.fromkeys(("mtom-in", "mtom-100", "mtom-100k", "mtom-20m"), "SoapClient has no attachments")
    | {"addressing": "headers by hand only"},
    fails={
        "nan": (
            "received 'NAN'",
            "SoapClient writes NAN, which XML Schema has not; INF and -INF go, and NaN in answers is read",
        )
    },
)  # fmt: skip

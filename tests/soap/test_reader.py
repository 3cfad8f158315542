"""The compiled readers refuse whatever the contract's schema refuses, which libxml2's validator decides here."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from lxml import etree

from soapsvc.errors import InvalidInput
from soapsvc.soap.envelope import ContentType, read_message
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.reader import compile_reader, read_operation
from tests.soap.conftest import Service, envelope
from tests.soap.messages import INFERENCE, MEMBERS, NS, PNG, detail, members, predict, tensor

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
TEXTS = [
    "", " ", "0", "1", "-1", "+1", "00", " 7 ", "\n7\t", "1.", ".5", ".", "-.5e-3", "1e5", "1E+5", "1e", "e5", "0x10",
    "1_0", "1 2", "--1", "+-1", "NaN", "nan", "NAN", "-NaN", "INF", "-INF", "+INF", "inf", "Infinity", "1e400",
    "-1e-400",
    "١٢", "\u00a07", "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "true", "false", "TRUE", "True", " true ",
    "2", "AAAA", "AAA=", "AA==", "A===", "AAA", "AB==", "AAB=", "AA=A", "A A A A", "AAAA\n", "AAAA====", "!!!", "=",
    "float32", "float16", " float32", "你好", "&amp;", "<x/>", "<![CDATA[1]]>", "a" * 100,
]  # fmt: skip

DOUBLES = ("ratio", "offset", "left", "right", "series")
LIBXML2_ACCEPTS = {"double": ("1e",), "picture": (".", "١٢", "!!!", "你好", "&amp;")}  # against XML Schema's words


class Both:
    """The reader and the validator of one operation."""

    def __init__(self, service: Service, model: str, operation: str) -> None:
        endpoint = service.endpoint(model)
        schema = endpoint.wsdl.find(".//{http://www.w3.org/2001/XMLSchema}schema")
        assert schema is not None
        self._schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))
        self._reader = compile_reader(endpoint._methods[operation].in_message)

    def verdicts(self, body: str) -> tuple[bool, bool]:
        """Return whether the reader and whether the schema accept a body."""
        message = read_message(envelope(body), ContentType("text/xml"), SoapVersion.SOAP11)
        valid = self._schema.validate(message.body)
        try:
            read_operation(self._reader, message.body)  # type: ignore[arg-type]
        except InvalidInput:
            return False, valid
        return True, valid


@pytest.fixture(scope="module")
def both(service: Service) -> Both:
    return Both(service, "kinds", "predict")


def structural() -> Iterator[str]:
    """Yield requests whose elements or attributes are not, or only just, what the schema says."""
    good = predict()
    yield good
    for name in MEMBERS:
        yield predict(**{name: None})
        yield good.replace(f"<{name}>", f"<{name} xmlns=''>", 1)
        yield good.replace(f"<{name}>", f"<{name} odd='1'>", 1)
        yield good.replace(f"<{name}>", f"<{name} {XSI} xsi:nil='true'>", 1)
        yield good.replace(f"<{name}>", f"<{name} {XSI} xsi:nil='false'>", 1)
        yield good.replace(f"<{name}>{MEMBERS[name]}</{name}>", f"<{name} {XSI} xsi:nil='1'/>", 1)
        yield good.replace(f"<{name}>{MEMBERS[name]}</{name}>", f"<{name} {XSI} xsi:nil='1'> </{name}>", 1)
        yield good.replace(f"<{name}>", f"stray<{name}>", 1)
        yield good.replace(f"<{name}>", f"<more/><{name}>", 1)
        yield good.replace(f"</{name}>", f"</{name}><{name}>{MEMBERS[name]}</{name}>", 1)
        for declared in (
            "xs:double",
            "xs:int",
            "xs:short",
            "xs:long",
            "xs:string",
            "xs:token",
            "xs:boolean",
            "xs:float",
        ):
            yield good.replace(f"<{name}>", f"<{name} {XSI} {XS} xsi:type='{declared}'>", 1)
        yield good.replace(f"<{name}>", f"<{name} {XSI} xmlns:t='{NS}' xsi:type='t:ArrayOfDouble'>", 1)
        yield good.replace(f"<{name}>", f"<{name} {XSI} xsi:type='Tensor'>", 1)
    yield good.replace("<predict ", f"<predict {XSI} xsi:schemaLocation='urn:a b' ", 1)
    yield good.replace("<predict ", f"<predict {XSI} xsi:noNamespaceSchemaLocation='b' ", 1)
    yield good.replace("<predict ", f"<predict {XSI} xsi:other='b' ", 1)
    yield good.replace("<predict ", "<predict id='b' ", 1)
    yield good.replace("><", ">\n\t<")
    yield good.replace("<item>", "<item odd='1'>", 1)
    yield good.replace("<item>", f"<item {XSI} xsi:nil='true'>", 1)
    yield good.replace("<item>1.5</item>", f"<item {XSI} {XS} xsi:type='xs:double'>1.5</item>")
    yield good.replace("<item>1.5</item>", "<item><x/></item>")
    yield good.replace("<item>1.5</item>", "<other>1.5</other>")
    yield predict(series="", codes="", words="")
    yield predict(series="text")
    yield predict(series=" \n ")
    yield predict(grid="")
    yield predict(grid=tensor("float32", "0", ""))
    yield predict(grid=tensor("float32", "0", "<content/><doubles/>"))
    yield predict(grid=tensor("float32", "0", "<doubles/><longs/><strings/><content/>"))


def stricter(body: str) -> bool:
    """Whether we refuse a body on purpose that the schema allows: nil where a value is needed."""
    return "xsi:nil='1'/>" in body and "<offset xmlns" not in body


def laxer(body: str) -> bool:
    """Whether we accept a body on purpose that the schema refuses.

    What may be nil may be left out; blanks may stand in what is nil; a derived type's own range is not looked at.
    """
    too_narrow = any(f"xsi:type='xs:{kind}'>{MEMBERS['total']}<" in body for kind in ("int", "short"))
    return "<offset" not in body or "xsi:nil='1'> </offset>" in body or too_narrow


def test_reader_and_schema_agree_on_structure(both: Both) -> None:
    verdicts = {body: both.verdicts(body) for body in structural()}
    assert [body for body, (reader, schema) in verdicts.items() if reader and not schema and not laxer(body)] == []
    assert [body for body, (reader, schema) in verdicts.items() if schema and not reader and not stricter(body)] == []
    assert {True, False} == {schema for _, schema in verdicts.values()}


@pytest.mark.parametrize("name", list(MEMBERS))
def test_reader_and_schema_agree_on_text(both: Both, name: str) -> None:
    bodies = [predict(**{name: text}) for text in TEXTS]
    if name in ("series", "codes", "words"):
        bodies = [predict(**{name: f"<item>{text}</item><item>1</item>"}) for text in TEXTS]
    verdicts = [(text, *both.verdicts(body)) for text, body in zip(TEXTS, bodies, strict=True)]
    assert [text for text, reader, schema in verdicts if reader and not schema] == []
    wrongly = set(LIBXML2_ACCEPTS.get(name, LIBXML2_ACCEPTS["double"] if name in DOUBLES else ()))
    assert {text for text, reader, schema in verdicts if schema and not reader} == wrongly


def test_reader_and_schema_agree_on_random_mutations(both: Both) -> None:
    """Cut, swap and repeat pieces of a good message; a fixed seed makes each run the same."""
    chooser = random.Random(7)
    pieces = predict().replace("><", ">\x00<").split("\x00")
    seen = set()
    for _ in range(1500):
        mutated = list(pieces)
        first, second = chooser.randrange(1, len(pieces) - 1), chooser.randrange(1, len(pieces) - 1)
        how = chooser.choice(["cut", "swap", "repeat", "text"])
        if how == "cut":
            del mutated[first]
        elif how == "swap":
            mutated[first], mutated[second] = mutated[second], mutated[first]
        elif how == "repeat":
            mutated.insert(second, mutated[first])
        else:
            mutated[first] = mutated[first].replace("<item>1.5", f"<item>{chooser.choice(TEXTS[:50])}")
        body = "".join(mutated)
        try:
            etree.fromstring(body)
        except etree.XMLSyntaxError:
            continue
        verdict = both.verdicts(body)
        assert verdict[0] == verdict[1] or "<item>1e</item>" in body or laxer(body), body
        seen.add(verdict)
    assert seen >= {(True, True), (False, False)}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("predictBatch", f'<predictBatch xmlns="{NS}"><instances/></predictBatch>'),
        ("predictBatch", f'<predictBatch xmlns="{NS}"/>'),
        ("predictBatch", f'<predictBatch xmlns="{NS}"><instances><item>{members()}</item></instances></predictBatch>'),
        ("predictBatch", f'<predictBatch xmlns="{NS}"><instances><item/></instances></predictBatch>'),
        ("predictBatch", f'<predictBatch xmlns="{NS}"><instances>text</instances></predictBatch>'),
        ("getModelInfo", f'<getModelInfo xmlns="{NS}"/>'),
        ("getModelInfo", f'<getModelInfo xmlns="{NS}">text</getModelInfo>'),
        ("getModelInfo", f'<getModelInfo xmlns="{NS}"><x/></getModelInfo>'),
    ],
)
def test_reader_and_schema_agree_on_other_operations(service: Service, operation: str, body: str) -> None:
    reader, schema = Both(service, "kinds", operation).verdicts(body)
    assert reader == schema


@pytest.mark.parametrize("blank", ["", " ", "\n    ", "\t"])
def test_blanks_in_an_element_that_holds_nothing_are_taken(service: Service, blank: str) -> None:
    """pysimplesoap indents what it sends."""
    for model, operation in (("kinds", "getModelInfo"), ("inference", "listModels")):
        message = envelope(f'<{operation} xmlns="urn:soapsvc:{model}:v1">{blank}</{operation}>')
        for _ in range(3):
            assert service.post(message, model).status == 200
    nil = predict().replace("<offset>0.5</offset>", f"<offset {XSI} xsi:nil='1'>{blank}</offset>")
    assert service.post(envelope(nil)).status == 200


@pytest.mark.parametrize(
    ("name", "kind", "taken"),
    [
        ("total", "int", True), ("total", "unsignedInt", True), ("total", "unsignedLong", False),
        ("total", "double", False), ("count", "short", True), ("count", "long", False), ("note", "token", True),
        ("note", "base64Binary", False), ("left", "float", False), ("left", "int", False),
    ],
)  # fmt: skip
def test_value_of_a_derived_type_is_taken(service: Service, name: str, kind: str, taken: bool) -> None:
    hint = f'{XSI} xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:{kind}"'
    reply = service.post(
        envelope(predict(note="7", total="7", left="7", right="8").replace(f"<{name}>", f"<{name} {hint}>"))
    )
    assert (reply.status == 200) == taken
    if not taken:
        assert detail(reply)["received"] == f"xsi:type xs:{kind}"


def test_type_of_the_operation_is_told_by_its_name(service: Service) -> None:
    hint = f'{XSI} xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:anyType"'
    fault = detail(service.post(envelope(predict().replace("<predict ", f"<predict {hint} "))))
    assert (fault["field"], fault["received"]) == ("predict", "xsi:type xs:anyType")


def generic(content: str) -> str:
    return f'<predict xmlns="{INFERENCE}">{content}</predict>'


@pytest.mark.parametrize("version", ["", "<version>1</version>", f"<version {XSI} xsi:nil='true'/>"])
@pytest.mark.parametrize("label", ["", "<label>stable</label>", "<label/>"])
@pytest.mark.parametrize("names", ["", "<outputNames/>", "<outputNames><item>a</item></outputNames>"])
def test_reader_and_schema_agree_on_the_generic_service(service: Service, version: str, label: str, names: str) -> None:
    body = generic(f"<modelName>kinds</modelName>{version}{label}<inputs/>{names}")
    reader, schema = Both(service, "inference", "predict").verdicts(body)
    assert reader
    assert schema == bool(version)


@pytest.mark.parametrize("option", ["version", "label", "signature"])
def test_what_may_be_left_out_may_be_nil(service: Service, option: str) -> None:
    """Mono's stubs write every null as xsi:nil."""
    options = "".join(f"<{name} {XSI} xsi:nil='true'/>" for name in ("version", "label", "signature") if name == option)
    assert Both(service, "inference", "getModel").verdicts(
        f'<getModel xmlns="{INFERENCE}"><modelName>kinds</modelName>{options}</getModel>'
    )[0]


def test_element_of_the_right_name_in_a_wrong_namespace_is_told_by_its_namespace(service: Service) -> None:
    """SOAP::Lite's members have none unless it is told to."""
    for namespace, received in (("", " of no namespace"), ("urn:other", "")):
        message = envelope(predict().replace("<flag>", f'<flag xmlns="{namespace}">'))
        tag = f"{{{namespace}}}flag" if namespace else "flag"
        fault = detail(service.post(message))
        assert (fault["field"], fault["code"]) == ("flag", "missing")
        assert fault["expected"] == f"an element of namespace {NS}"
        assert fault["received"] == f"element {tag}{received}"
    assert detail(service.post(envelope(predict(flag=None))))["expected"] == "an element"


@pytest.mark.parametrize("operation", ["getModel", "predict"])
def test_version_0_is_none(service: Service, operation: str) -> None:
    inputs = "<inputs/>" if operation == "predict" else ""
    body = f'<{operation} xmlns="{INFERENCE}"><modelName>kinds</modelName><version>{{}}</version>{inputs}</{operation}>'
    none, any_number = (service.post(envelope(body.format(number)), "inference").body for number in (0, 7))
    assert b"ModelNotFound" in any_number
    assert (b"getModelResult" if operation == "getModel" else b"InvalidInput") in none  # for there are no inputs


def test_a_million_wrong_numbers_are_refused_at_the_first(service: Service) -> None:
    """Bounded work on a message that makes a validator which reports every error spend minutes."""
    reader = Both(service, "kinds", "predict")._reader
    body = predict(series="<item>1</item>" * 100_000 + "<item>x</item>" * 100_000)
    message = read_message(envelope(body), ContentType("text/xml"), SoapVersion.SOAP11)
    with pytest.raises(InvalidInput) as raised:
        read_operation(reader, message.body)  # type: ignore[arg-type]
    assert raised.value.field == "series[100000]"


def test_values_have_the_documented_forms(service: Service) -> None:
    reader = Both(service, "kinds", "predict")._reader
    message = read_message(envelope(predict()), ContentType("text/xml"), SoapVersion.SOAP11)
    values = dict(zip(MEMBERS, read_operation(reader, message.body), strict=True))  # type: ignore[arg-type]
    assert values["flag"] is True
    assert values["count"] == -3
    assert values["offset"] == 0.5
    assert values["series"].dtype == "float64"
    assert values["codes"].dtype == "int64"
    assert values["words"] == ["one"]
    assert values["picture"].startswith(b"\x89PNG")
    assert len(PNG) > len(values["picture"])

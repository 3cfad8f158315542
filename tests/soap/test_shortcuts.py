"""A message of a known outline, or with runs taken out, is answered byte by byte as one that is parsed whole."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from spyne import Boolean, Double, Int, Long, Unicode

from soapsvc.soap import application, beside, cut, outline, outlines
from soapsvc.soap.application import Reply, SoapEndpoint
from soapsvc.soap.call import Call
from soapsvc.soap.disclosure import Disclosure
from soapsvc.soap.envelope import Message, read_message
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import unpack
from soapsvc.soap.ns import ContractNames, SoapVersion
from soapsvc.soap.outlines import MOST_OUTLINES, Outlines
from soapsvc.soap.service import operation, service_class
from soapsvc.soap.types import Types, optional, required
from tests.soap.conftest import Service, envelope
from tests.soap.messages import MEMBERS, NS, PNG, find, members, predict, tensor
from tests.soap.packages import Part, content_type, include, package, root
from tests.soap.test_mutations import SEEDS, mutated
from tests.soap.test_reader import TEXTS

XML = ContentType("text/xml")
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
GOOD = [seed.replace(MEMBERS["note"].encode(), b"plain") for seed in SEEDS]  # no &: text with one has to be parsed
PNG_BYTES = base64.b64decode(PNG)
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'


class Asked(Outlines):
    """Counts the messages whose outline was known."""

    hits = 0

    def read(self, *arguments: object) -> tuple[str, tuple[object, ...]] | None:
        found = super().read(*arguments)  # type: ignore[arg-type]
        self.hits += found is not None
        return found


class Forgetful(Outlines):
    """Knows no outline."""

    def read(self, *arguments: object) -> None:
        """Return None: every message is parsed."""


class Both:
    """One endpoint, asked with its shortcuts and without them."""

    def __init__(self, endpoint: SoapEndpoint, patch: pytest.MonkeyPatch) -> None:
        self.endpoint, self._patch, self.known = endpoint, patch, Asked()

    def whole(self, content: bytes, sent_as: ContentType = XML) -> Reply:
        with self._patch.context() as patch:
            patch.setattr(self.endpoint, "_outlines", Forgetful())
            patch.setattr(application, "take_runs", lambda content, sent_as: (content, {}))
            return self.endpoint.answer(content, sent_as, Call("test-request"))

    def short(self, content: bytes, sent_as: ContentType = XML) -> Reply:
        with self._patch.context() as patch:
            patch.setattr(self.endpoint, "_outlines", self.known)
            return self.endpoint.answer(content, sent_as, Call("test-request"))

    def agree(self, content: bytes, sent_as: ContentType = XML) -> Reply:
        reply = self.whole(content, sent_as)
        assert self.short(content, sent_as) == reply, content
        return reply

    def many(self, count: int, number: int, make: Callable[[random.Random], bytes]) -> None:
        chance = random.Random(number)
        for _ in range(count):
            self.agree(make(chance))


@pytest.fixture
def both(service: Service, monkeypatch: pytest.MonkeyPatch) -> Both:
    """`kinds`, with the outlines of good messages known."""
    pair = Both(service.endpoint("kinds"), monkeypatch)
    for seed in GOOD:
        pair.short(seed)
    return pair


@pytest.fixture
def runs_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small messages have runs, too."""
    monkeypatch.setattr(beside, "LEAST_BYTES", 0)
    monkeypatch.setattr(beside, "LEAST_ITEMS", 1)


def values() -> Iterator[bytes]:
    for name in MEMBERS:
        for text in TEXTS:
            yield envelope(predict(**({"note": "plain"} | {name: text})))


def test_the_second_message_of_an_outline_is_not_parsed(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    for header in (b"", DECLARATION, DECLARATION + b"\n"):
        both.short(header + envelope(predict()))
    parsed: list[bytes] = []
    monkeypatch.setattr(application, "read_message", lambda content, *rest: parsed.append(content))
    for header in (b"", DECLARATION, DECLARATION + b"\n  "):
        reply = both.short(header + envelope(predict(total="-9", note="new  text\n", left="1e-3")))
        assert find(reply, "total") == "-9"
        assert find(reply, "note") == "new  text\n"
    assert parsed == []


def test_message_of_the_outline_before_is_not_even_cut(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        both.short(envelope(predict(note="plain")))
    monkeypatch.setattr(outlines, "cut", lambda *arguments: pytest.fail("it was cut"))
    for note in ("other", "two\nlines"):
        reply = both.short(envelope(predict(total="7", note=note)))
        assert (find(reply, "total"), find(reply, "note")) == ("7", note)


def test_pattern_is_made_of_few_tags_only_and_when_they_come_again(both: Both) -> None:
    message = envelope(predict(note="plain")).replace(b"<predict ", b"<predict  ")
    for times, made in ((1, False), (2, False), (3, True)):
        both.short(message)
        found = [each for tags, each in both.known._known.items() if any(b"predict  " in tag for tag in tags)]
        assert [("pattern" in vars(each)) for each in found] == [made], times
    long = message.replace(b"<predict  ", b"<predict  " + b" " * outline.MOST_PATTERN_BYTES)
    for _ in range(3):
        assert both.short(long).status == 200
    (found_long,) = [each for tags, each in both.known._known.items() if max(map(len, tags)) > 2_000]
    assert found_long.pattern is None


def test_messages_of_two_outlines_in_turn(both: Both) -> None:
    hits = both.known.hits
    for number in range(6):
        both.agree(envelope(predict(note="plain", total=str(number))))
        both.agree(DECLARATION + envelope(predict(note="plain", total=str(number))))
    assert both.known.hits >= hits + 10


def test_whatever_value_stands_in_a_known_outline(both: Both) -> None:
    for message in values():
        both.agree(message)
    assert both.known.hits > len(MEMBERS) * 10


def test_broken_messages(both: Both) -> None:
    both.many(6_000, 3, lambda chance: mutated(chance.choice(GOOD), chance))
    assert both.known.hits > 100


@pytest.mark.usefixtures("runs_of_two")
def test_broken_messages_with_runs(both: Both) -> None:
    grid = tensor("float32", "2 3", "<doubles>" + "<item>1.5</item>" * 6 + "</doubles>")
    seeds = [envelope(predict(grid=grid, series="<item>1</item><item>-0</item><item>2.50</item>"))]
    seeds.append(seeds[0].replace(b"item>", b"n:item>").replace(b"<predict", f'<predict xmlns:n="{NS}"'.encode()))
    both.many(4_000, 4, lambda chance: mutated(chance.choice(seeds), chance))


def batch(count: int, instance: str = members(note="plain")) -> bytes:
    instances = "".join(f"<item>{instance}</item>" for _ in range(count))
    return envelope(f'<predictBatch xmlns="{NS}"><instances>{instances}</instances></predictBatch>')


@pytest.fixture
def few_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches of two be long."""
    monkeypatch.setattr(cut, "MOST_TAGS", 100)


@pytest.mark.usefixtures("few_tags")
@pytest.mark.parametrize("learned", [1, 2, 8])
def test_a_batch_of_any_length_has_one_outline(both: Both, learned: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert both.short(batch(learned)).status == 200
    parsed: list[bytes] = []
    monkeypatch.setattr(application, "read_message", lambda content, *rest: parsed.append(content))
    for count in (1, 2, 5, 8):
        message = batch(count).replace(b"-3", b"-4", 1)
        reply = both.short(message)
        assert reply.body.count(b"<total>1099511627776</total>") == count
        assert reply.body.count(b"<count>-4</count>") == 1
    assert parsed == []


@pytest.mark.usefixtures("few_tags")
def test_batches_that_are_not_alike(both: Both) -> None:
    short = members(note=None, offset=None)
    for message in (
        batch(5),
        batch(5).replace(b"<note>plain</note>", b"", 1),
        batch(5).replace(b"plain", b"p<!-- -->lain", 1),
        batch(5).replace(b"true", b"wrong", 1),
        batch(5).replace(b"</item><item>", b"</item> <item>"),
        batch(5).replace(b"</item><item>", b"</item>x<item>", 3),
        batch(5, short).replace(b"</item></instances>", b"</item><item/></instances>"),
        batch(0),
        batch(6, short),
        batch(8),
        batch(5).replace(b"instances>", b"instance>"),
        batch(5).replace(b"</instances>", b"</instances><instances/>"),
        batch(5).replace(b"</instances>", b"</instances>" + b"<!-- -->"),
    ):
        for _ in range(2):
            both.agree(message)


COLUMNS = {"ratio": "0.5", "count": "7", "total": "8", "flag": "true", "note": "plain", "more": "1.5"}
SCALARS = ContractNames("scalars", 1)


def scalars() -> SoapEndpoint:
    """An operation whose batch holds nothing but single values, and which tells what it was given."""
    types = Types(SCALARS.namespace)
    kinds = (required(Double), required(Int), required(Long), required(Boolean), required(Unicode), optional(Double))
    instance = types.record("Instance", list(zip(COLUMNS, kinds, strict=True)))
    tell = operation(
        lambda ctx, instances: [repr(one) for one in instances], "Tell.",
        [("instances", required(types.array(instance)))], types.array(required(Unicode)), [],
    )  # fmt: skip
    return SoapEndpoint(SCALARS, service_class(SCALARS, {"tell": tell}), SoapVersion.SOAP11, "Scalars.", Disclosure)


def told(*rows: dict[str, str | None]) -> bytes:
    items = "".join(
        "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in row.items() if text is not None) + "</item>"
        for row in rows
    )
    return envelope(f'<tell xmlns="{SCALARS.namespace}"><instances>{items}</instances></tell>')


def test_a_batch_is_read_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "MOST_TAGS", 30)
    both = Both(scalars(), monkeypatch)
    without = COLUMNS | {"more": None}
    nil = told(*[without] * 4).replace(b"</note></item>", f'</note><more {XSI} xsi:nil="true"/></item>'.encode())
    for good in (told(*[COLUMNS] * 4), told(*[without] * 4), nil):
        assert both.agree(good).status == 200
        assert both.agree(good).status == 200
    assert both.known.hits == 3
    for name in COLUMNS:
        for text in TEXTS:
            both.agree(told(COLUMNS, COLUMNS | {name: text}, COLUMNS, COLUMNS | {"ratio": "-0"}))
    both.agree(told(*[COLUMNS] * 4).replace(b"<count>", b"x<count>", 1))
    both.many(1_500, 6, lambda chance: mutated(told(*[COLUMNS] * 5), chance))
    assert both.known.hits > 100


@pytest.mark.usefixtures("few_tags")
def test_broken_batches(both: Both) -> None:
    seed = batch(4)
    both.short(seed)
    both.many(1_000, 5, lambda chance: mutated(seed, chance))
    assert both.known.hits > 20


SHIFTED = [
    predict(note="<!-- > --> x"),
    predict(note="<![CDATA[a < b]]>"),
    predict(note="a > b"),
    predict(note="]]>"),
    predict(note="a\r\nb"),
    predict(note="\x01"),
    predict(note="\ufffe"),
    predict(note="&#13;&#xA;"),
    predict().replace("<note>", "<note ><b>"),
    predict().replace("<flag>true", "<flag <true>"),
    predict().replace("<flag>", f'<flag {XSI} xsi:type=">">'),
    predict().replace("<flag>", f'<flag {XSI} xsi:nil="0">'),
    predict(note=None, offset=None).replace("<left>", f'<note {XSI} xsi:nil="true"> </note><left>'),
    predict().replace("<left>", "stray<left>"),
    predict().replace("<left>", "\u00a0<left>"),
    predict().replace("<left>", "<?php ?><left>"),
]


@pytest.mark.parametrize("body", SHIFTED)
def test_what_could_shift_a_place(both: Both, body: str) -> None:
    for _ in range(2):  # its own outline, if it has one, is known the second time
        both.agree(envelope(body))
        both.agree(envelope(body.replace("true", "false", 1)))


@pytest.mark.parametrize("charset", [None, "utf-8", "UTF-8", "utf-16", "iso-8859-1", "us-ascii", "no-such"])
@pytest.mark.parametrize("declared", [b"", b"<?xml version='1.0' encoding='iso-8859-1'?>", DECLARATION])
def test_charsets(both: Both, charset: str | None, declared: bytes) -> None:
    sent_as = ContentType("text/xml", charset)
    for text in ("plain", "ü", "你好"):
        for encoding in ("utf-8", "utf-16", "iso-8859-1"):
            message = declared + envelope(predict(note=text)).decode().encode(encoding, "xmlcharrefreplace")
            both.agree(message, sent_as)
            both.agree(message, sent_as)


def test_actions_and_media_types_are_looked_at_all_the_same(both: Both) -> None:
    message = envelope(predict())
    for action in ("", "*", f"{NS}:predict", f"{NS}:predictBatch", "other"):
        both.agree(message, ContentType("text/xml", None, action))
    both.agree(message, ContentType("application/soap+xml"))


def test_header_blocks_are_acted_upon(both: Both) -> None:
    block = '<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:{}</a:MessageID>'
    for number in range(3):
        reply = both.short(envelope(predict(), header=block.format(number)))
        assert f"urn:uuid:{number}".encode() in reply.body
        both.agree(envelope(predict(), header=f'<b:x xmlns:b="urn:b" s:mustUnderstand="{number % 2}"/>'))


def test_no_more_than_the_newest_outlines_are_kept(both: Both) -> None:
    for number in range(MOST_OUTLINES + 20):
        both.agree(envelope(predict()).replace(b"<flag>", b"<flag" + b" " * number + b">"))
    assert len(both.known._known) == MOST_OUTLINES


def test_attachments_of_a_known_outline(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = service.endpoint("kinds")
    known = Asked()
    monkeypatch.setattr(endpoint, "_outlines", known)
    media_type, parameters = parse_content_type(content_type())
    parsed: list[Message] = []

    def read(*arguments: object) -> Message:
        parsed.append(read_message(*arguments))  # type: ignore[arg-type]
        return parsed[-1]

    monkeypatch.setattr(application, "read_message", read)
    names = ("one@x", "two@x", "two@x", "absent@x", "uuid:3%20a")
    for name in names:
        content = package(
            [root(envelope(predict(note="plain", picture=include(name)))), Part(name.replace("%20", " "), PNG_BYTES)]
        )
        if name == "absent@x":
            content = content.replace(b"Content-ID: <absent@x>", b"Content-ID: <other@x>")
        opened = unpack(content, ContentType(media_type, None, "", parameters), SoapVersion.SOAP11, 100_000)
        reply = endpoint.answer(opened.envelope, opened.sent_as, Call("test-request"), opened.attachments)
        assert (find(reply, "pixels/content") is not None) == (name != "absent@x"), reply.body
    assert (known.hits, len(parsed)) == (3, 2)


def attaching(**parts: str) -> bytes:
    """Return the envelope of a message with a picture and a tensor attached. parts: what their references name."""
    grid = tensor("float32", "2 3", f"<content>{include('grid')}</content>")
    message = envelope(predict(note="plain", picture=include("picture"), grid=grid))
    for name, content_id in parts.items():
        message = message.replace(f"cid:{name}".encode(), f"cid:{content_id}".encode())
    return message


def test_attachments_of_a_message_that_fits_the_pattern(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(message: bytes, **attached: bytes) -> Reply:
        attachments = {name: memoryview(content) for name, content in attached.items()}
        with monkeypatch.context() as patch:
            patch.setattr(both.endpoint, "_outlines", both.known)
            return both.endpoint.answer(message, XML, Call("test-request"), attachments)

    one, two = (np.full((2, 3), value, "<f4").tobytes() for value in (1, 2))
    for _ in range(2):
        first = answered(attaching(), picture=PNG_BYTES, grid=one)
    assert first.status == 200, first.body
    monkeypatch.setattr(outlines, "cut", lambda *arguments: pytest.fail("it was cut"))
    assert answered(attaching(), picture=PNG_BYTES, grid=one) == first
    assert answered(attaching(picture="x", grid="y"), x=PNG_BYTES, y=one, more=b"") == first
    other = answered(attaching(picture="x", grid="y"), x=PNG_BYTES, y=two)
    assert (other.status, other == first) == (200, False)
    monkeypatch.undo()
    for lacking in ({"picture": PNG_BYTES}, {"grid": one}, {}):
        assert b"InvalidInput" in answered(attaching(), **lacking).body


def test_reference_in_a_message_without_attachments_is_a_fault_after_one_with_them(both: Both) -> None:
    attached = {"picture@x": memoryview(PNG_BYTES)}
    message = envelope(predict(note="plain", picture=include("picture@x")))
    for _ in range(3):
        reply = both.endpoint.answer(message, XML, Call("test-request"), dict(attached))
        assert reply.status == 200, reply.body
    for reference in (b"cid:", b"cid:picture@x"):
        both.agree(message.replace(b"cid:picture@x", reference))
        assert (
            b"InvalidInput"
            in both.endpoint.answer(message.replace(b"cid:picture@x", reference), XML, Call("test-request")).body
        )


def test_prefix_that_is_called_cid_refers_to_nothing(both: Both) -> None:
    message = envelope(
        predict(note="plain", picture=include("picture@x").replace("xop:", "cid:").replace(":xop", ":cid"))
    )
    assert b"<cid:Include xmlns:cid=" in message
    for _ in range(3):
        reply = both.endpoint.answer(message, XML, Call("test-request"), {"picture@x": memoryview(PNG_BYTES)})
        assert reply.status == 200, reply.body
    changed = message.replace(b"<cid:Include", b"<cid:OtherInclude")
    reply = both.endpoint.answer(changed, XML, Call("test-request"), {"picture@x": memoryview(PNG_BYTES)})
    assert b"InvalidInput" in reply.body


def test_long_texts(both: Both) -> None:
    long = envelope(predict(note="plain", picture=PNG[:-2] + " \n" * 50_000 + PNG[-2:]))
    for message in (
        long, long.replace(b"</picture>", b"</picture >"), long.replace(b"</picture>", b"<!-- x --></picture>"),
        long.replace(b"<note>", b"<note>a > b"), long.replace(b"<flag>", b"<flag a='>'>"), long[:-1], long + b"<",
        long.replace(PNG[:9].encode(), b"!" + PNG[:8].encode()), long.replace(b" \n", b"\xe4\xbd", 1),
        long.replace(b"</note>", b"&amp;</note>"), DECLARATION + long,
    ):  # fmt: skip
        for _ in range(3):
            both.agree(message)
    hits = both.known.hits
    assert both.agree(long).status == 200
    assert both.known.hits == hits + 1


def test_few_tags_are_found_as_many_are() -> None:
    chance = random.Random(1)
    for _ in range(2_000):
        pieces = [chance.choice([b"<", b">", b"<a>", b"</a>", b"<a b='>'/>", b"x" * 3_000]) for _ in range(12)]
        content = b"<a>" + b"x" * 20_000 + b"".join(pieces)
        try:
            expected: object = cut._pieces(content, -1)
        except ValueError:
            with pytest.raises(ValueError, match="without an end"):
                cut._sparse_pieces(content)
        else:
            assert cut._sparse_pieces(content) == expected
    assert cut._sparse_pieces(b"<a>" + b"x" * 20_000 + b"<a/>" * 100) is None
    assert cut._sparse_pieces(b"<a/>" * (cut.MOST_TAGS + 2) + b"x" * 10_000_000) is None


def series(items: str) -> bytes:
    return envelope(predict(grid=tensor("float32", "100 3", f"<doubles>{items}</doubles>")))


@pytest.mark.parametrize(
    "text", ["1", "-0", "0.5", "1e-5", "+1", ".5", "5.", "007", "NaN", "-INF", " 1 ", "1 2", "a", "", "9" * 30, "1e999"]
)
def test_runs_of_numbers(both: Both, text: str) -> None:
    for place in (0, 7, 99):
        texts = ["0.25"] * 100
        texts[place] = text
        items = "".join(f"<item>{each}</item>" for each in texts)
        for name in ("series", "codes", "words", "note", "picture"):
            both.agree(envelope(predict(**{name: items})))


def test_a_run_is_taken_out(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def read(content: bytes, *rest: object) -> Message:
        sizes.append(len(content))
        return read_message(content, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(application, "read_message", read)
    reply = both.short(envelope(predict(codes="<item>25</item>" * 100, words="<item>1</item>" * 100)))
    assert reply.body.count(b"<item>25</item>") == reply.body.count(b"<item>1</item>") == 100
    assert len(sizes) == 1
    assert sizes[0] < 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.replace(b"<item>0.25</item>", f"<item {XSI}>0.25</item>".encode(), 1),
        lambda message: message.replace(b"<item>0.25</item>", b"<item>0.25</item >", 1),
        lambda message: message.replace(b"<doubles>", b"<doubles><!-- <item>1</item><item>2</item> -->"),
        lambda message: message.replace(b"0.25", b"<![CDATA[1]]>", 1),
        lambda message: message.replace(b"<doubles>", b"<doubles><other/>"),
        lambda message: message.replace(b"doubles>", b"longs>"),
        lambda message: message.replace(b"doubles>", b"strings>"),
        lambda message: message.replace(b"doubles>", b"content>"),
        lambda message: message.replace(b"doubles>", b"note>"),
        lambda message: message.replace(b"</item></doubles>", b"</doubles>"),
        lambda message: message.replace(b"<doubles><item>", b"<doubles>"),
        lambda message: message.replace(b"float32", b"string").replace(b"doubles>", b"strings>"),
        lambda message: message.replace(b"float32", b"int64").replace(b"doubles>", b"longs>").replace(b"0.25", b"25"),
        lambda message: message.replace(b"float32", b"bool").replace(b"doubles>", b"longs>").replace(b"0.25", b"1"),
        lambda message: message.replace(b"0.25", b"0.25</item>\n<item>0.5", 1),
        lambda message: message + b"\x00",
    ],
)
def test_runs_that_are_something_else(both: Both, change: Callable[[bytes], bytes]) -> None:
    message = change(series("<item>0.25</item>" * 300))
    both.agree(message)


@pytest.mark.parametrize(
    "text",
    ["<a>1</a><b> </b>", "<a>x>y</a>", "<a x='>'>1</a>", "<a>x>/a<b>", "<a", "<a>1</a", "<a><b/></a> ", "<a>>", "<<a>"],
)
def test_all_tags_and_texts_at_once_are_those_one_by_one(text: str) -> None:
    content = text.encode()
    found: list[object] = []
    for cutter in (cut._all_pieces, partial(cut._pieces, most=-1)):
        try:
            found.append(tuple(map(list, cutter(content))))
        except ValueError as err:
            found.append(str(err))
    assert found[0] == found[1]

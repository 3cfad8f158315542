"""Shows text in, scored labels out, with all of the text's handling inside the graph: which language is this?

Character n-grams are cut, hashed and weighed by the graph itself, so the server hands it the client's text as
it came. Learns from Django's translations and spaCy's stop words; measured on spaCy's example sentences.

    python examples/language.py [--to models/language/1] [--force]
"""

import argparse
import ast
import importlib.util
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen

SEED = 7
CODES = "ar bg cs da de el en es fa fi fr he hi hr hu id it ja ko nb nl pl pt ro ru sr sv tr uk vi zh"
LABELS = CODES.split()  # ISO 639-1
HASHED = 24 * 1024  # rows of the weights for n-grams, by hash
BLOCKS = 1024  # rows after them, each for a block of 128 Unicode code points
MAX_CHARACTERS = 1000  # the rest of a long text is not looked at
WINDOWS, LONGEST = 4000, 80  # pieces of text cut for each language, characters in a piece
GREETINGS = {
    "你好": "zh",
    "Guten Morgen": "de",
    "bonjour tout le monde": "fr",
    "good morning": "en",
    "buenos días": "es",
    "buongiorno a tutti": "it",
    "добрый день": "ru",
    "おはようございます": "ja",
    "안녕하세요": "ko",
    "bom dia": "pt",
    "dzień dobry": "pl",
    "goedemorgen": "nl",
    "Hello world": "en",
    "Hej verden": "da",
}


def main() -> None:
    """Train, freeze, compare, measure, write."""
    parser = argparse.ArgumentParser(description="Train the language example and write its model folder.")
    parser.add_argument("--to", type=Path, default=Path("models/language/1"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace the folder if it exists")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    weights, bias = train(*windows())
    served = scorer(weights, bias)
    graph_def = freeze(served, inputs=["text"], outputs=["probabilities"])
    sentences, languages = held_out()
    np.testing.assert_allclose(answer(graph_def, sentences), served(tf.constant(sentences)), rtol=1e-4, atol=1e-6)

    accuracy = measure(graph_def, sentences, languages)
    calls = [["Guten Morgen"], ["你好 & <ü>"], [""], ["bonjour tout le monde", "good morning", "добрый день"]]
    write_folder(
        arguments.to,
        graph_def=graph_def,
        manifest=manifest(accuracy),
        labels=LABELS,
        warmup=[{"inputs": {"text": texts}, "outputs": {"probabilities": answer(graph_def, texts)}} for texts in calls],
        force=arguments.force,
    )


def package(name: str) -> Path:
    """Where a package is installed. Its files are read, none of its code runs."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise SystemExit(f"{name} is missing: pip install -e '.[examples]'")
    return Path(found.origin).parent


def translations(language: str) -> list[str]:
    """Django's messages in this language, without placeholders and markup; the originals for English."""
    folder = {"zh": "zh_Hans", "en": "de"}.get(language, language)
    pairs = [
        pair
        for path in sorted(package("django").glob(f"**/locale/{folder}/LC_MESSAGES/*.mo"))
        for pair in catalogue(path)
        if pair[0]
    ]
    texts = [original.split("\4")[-1] if language == "en" else translated for original, translated in pairs]
    plain = [re.sub(r"%(\(\w+\))?\w|\{\w*\}|<[^>]*>|&\w+;", " ", text) for text in texts]
    return [form for text in plain for form in text.split("\0")]


def catalogue(path: Path) -> list[tuple[str, str]]:
    """(original, translation) pairs of a gettext .mo file, as the GNU gettext manual lays it out."""
    content = path.read_bytes()
    _, _, count, originals, translated = struct.unpack_from("<5I", content)

    def column(start: int) -> list[str]:
        table = struct.iter_unpack("<2I", content[start : start + 8 * count])
        return [content[offset : offset + length].decode() for length, offset in table]

    return list(zip(column(originals), column(translated), strict=True))


def spacy_strings(language: str, module: str) -> list[str]:
    """The string constants assigned to variables in spacy/lang/<language>/<module>.py."""
    tree = ast.parse((package("spacy") / "lang" / language / f"{module}.py").read_text(encoding="utf-8"))
    assigned = [node for statement in tree.body if isinstance(statement, ast.Assign) for node in ast.walk(statement)]
    return [node.value for node in assigned if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def windows() -> tuple[list[str], np.ndarray]:
    """Pieces of text, 4 to LONGEST characters, equally many for each language, and labels (int32)."""
    random = np.random.default_rng(SEED)
    pieces: list[str] = []
    for language in LABELS:
        words = " ".join(spacy_strings(language, "stop_words")).split()
        random.shuffle(words)
        text = " ".join(" ".join(translations(language) + words).split())
        starts = random.integers(0, len(text) - LONGEST, WINDOWS)
        lengths = random.integers(4, LONGEST, WINDOWS)
        pieces += [text[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return pieces, np.repeat(np.arange(len(LABELS), dtype=np.int32), WINDOWS)


def held_out() -> tuple[list[str], np.ndarray]:
    """SpaCy's example sentences and their labels (int (n,)); nothing here is trained on."""
    pairs = [
        (sentence, label) for label, language in enumerate(LABELS) for sentence in spacy_strings(language, "examples")
    ]
    return [sentence for sentence, _ in pairs], np.array([label for _, label in pairs])


def rows(text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """For each text (string (batch,)) the rows of the weights that count: two of int64 (batch, any).

    First the n-grams of 1 to 4 letters, by hash, then each letter's Unicode block: the blocks tell scripts
    apart where a letter was never seen. Invalid UTF-8 is replaced, as the ops after it would fail on it.
    """
    valid = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
    letters = tf.strings.regex_replace(tf.strings.lower(valid, "utf-8"), r"[^\pL\pM]+", " ")
    padded = tf.strings.join([" ", tf.strings.strip(letters), " "])
    short = tf.strings.substr(padded, 0, MAX_CHARACTERS, unit="UTF8_CHAR")
    grams = tf.strings.ngrams(tf.strings.unicode_split(short, "UTF-8"), (1, 2, 3, 4), separator="")
    hashed = grams.with_flat_values(tf.strings.to_hash_bucket_fast(grams.flat_values, HASHED))
    points = tf.strings.unicode_decode(short, "UTF-8")
    blocks = points.with_flat_values(tf.cast(tf.minimum(points.flat_values // 128, BLOCKS - 1), tf.int64) + HASHED)
    return hashed, blocks


def logits(weights: tf.Tensor, bias: tf.Tensor, features: Sequence[tf.RaggedTensor]) -> tf.Tensor:
    """Sum of the rows of each text over the root of their number, plus bias: a longer text is a surer one.

    features: what rows() gives. Returns float32 (batch, languages).
    """
    flat = tf.concat([ragged.values for ragged in features], axis=0)
    owners = tf.concat([ragged.value_rowids() for ragged in features], axis=0)
    batch = features[0].nrows()
    total = tf.math.unsorted_segment_sum(tf.cast(tf.gather(weights, flat), tf.float32), owners, batch)
    count = tf.math.unsorted_segment_sum(tf.ones_like(owners, tf.float32), owners, batch)
    return total * tf.math.rsqrt(count)[:, None] + bias


def train(pieces: Sequence[str], labels: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """Softmax regression. Returns weights (float16 (rows, languages)) and bias (float32 (languages,))."""
    weights = tf.Variable(tf.zeros([HASHED + BLOCKS, len(LABELS)]))
    bias = tf.Variable(tf.zeros([len(LABELS)]))
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build([weights, bias])
    data = tf.data.Dataset.from_tensor_slices((*rows(tf.constant(pieces)), labels))
    data = data.shuffle(len(labels), SEED).ragged_batch(512)

    def step(hashed: tf.RaggedTensor, blocks: tf.RaggedTensor, expected: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = logits(weights, bias, [hashed, blocks])
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(expected, scores))
        gradients = tape.gradient(loss, [weights, bias])
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], [weights, bias])
        return loss

    compiled = tf.function(step, reduce_retracing=True)
    for epoch in range(6):
        losses = [compiled(*batch) for batch in data]
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    return tf.cast(weights, tf.float16), tf.constant(bias.numpy())


def scorer(weights: tf.Tensor, bias: tf.Tensor) -> tf.types.experimental.ConcreteFunction:
    """The served function: text (string (batch,)) -> probabilities (float32 (batch, languages))."""

    def probabilities(text: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(logits(weights, bias, rows(text)))

    return tf.function(probabilities, [tf.TensorSpec([None], tf.string, "text")]).get_concrete_function()


def answer(graph_def: tf.compat.v1.GraphDef, texts: Sequence[str | bytes]) -> np.ndarray:
    """What a server would answer: float32 (len(texts), languages)."""
    encoded = [text.encode() if isinstance(text, str) else text for text in texts]
    return run_frozen(graph_def, {"text": encoded}, ["probabilities"])["probabilities"]


def measure(graph_def: tf.compat.v1.GraphDef, sentences: Sequence[str], languages: np.ndarray) -> str:
    """Print the frozen graph's held-out accuracies and answers; returns the sentence for the manifest."""
    right = answer(graph_def, sentences).argmax(axis=1) == languages
    short = answer(graph_def, [sentence[:20] for sentence in sentences]).argmax(axis=1) == languages
    accuracy = (
        f"Held-out accuracy {right.mean():.1%} ({right.sum()} of {len(right)} spaCy example sentences, "
        f"{len(LABELS)} languages), {short.mean():.1%} on their first 20 characters."
    )
    print(accuracy)
    for name, hits in (("sentences", right), ("first 20 characters", short)):
        each = sorted((hits[languages == label].mean(), language) for label, language in enumerate(LABELS))
        print(f"worst languages, {name}:", ", ".join(f"{language} {share:.0%}" for share, language in each[:6]))
    greeted = answer(graph_def, list(GREETINGS)).argmax(axis=1)
    for (text, language), label in zip(GREETINGS.items(), greeted, strict=True):
        print(f"{text}: {LABELS[label]}" + ("" if LABELS[label] == language else f", but it is {language}"))
    odd = answer(graph_def, ["", "&<>", b"\xff\xfe\xc3(", "你好 & <ü>", "ab" * 100_000])
    assert np.isfinite(odd).all(), odd
    print("empty text:", ", ".join(f"{LABELS[label]} {odd[0, label]:.0%}" for label in odd[0].argsort()[:-4:-1]))
    return accuracy


def manifest(accuracy: str) -> dict[str, object]:
    """model.yaml, but for the graph's checksum."""
    return {
        "format": 1,
        "name": "language",
        "description": f"Language of a text, as ISO 639-1 code. {accuracy}",
        "signatures": {
            "predict": {
                "inputs": {"text": {"tensor": "text:0", "dtype": "string", "shape": ["batch"]}},
                "outputs": {
                    "probabilities": {
                        "tensor": "probabilities:0",
                        "dtype": "float32",
                        "shape": ["batch", len(LABELS)],
                    }
                },
            }
        },
        "contract": {
            "version": 1,
            "inputs": {"text": {"as": "text", "description": f"the first {MAX_CHARACTERS} letters count"}},
            "outputs": {"probabilities": {"as": "scoredLabels", "labels": "labels.txt", "top": 3}},
        },
        "warmup": {"file": "warmup.jsonl", "rtol": 1.0e-3, "atol": 1.0e-5},
        "limits": {"max_batch": 1000},
    }


if __name__ == "__main__":
    main()

"""Shows a conversation: text in, text out, a name and the last turns kept from call to call by the server.

A softmax regression over hashed n-grams finds the topic of a question; the graph then puts the answer together, with
the name it was told and what was said last. Learns from the questions in chat.yaml, which were written for it.

    python examples/chat.py [--to models/chat/1] [--force]
"""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import yaml

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen

SEED = 7
HASHED = 4096  # rows of the weights, for n-grams by hash
MAX_CHARACTERS = 300  # the rest of a long question is not looked at
LAST = 2  # turns that the graph is fed
LONGEST_NAME = 40
LEAST = 0.35  # probability of a topic below which the answer is that of `unknown`
STEPS = 400
NAMES = ["Ada", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Igor", "Jun", "Katja", "Lars", "Noor", "Priya"]
UNSEEN_NAMES = ["Wilhelmina", "Xu", "Yannick", "Zoë"]
SLOT = re.compile(r"^(?P<before>.*?)(?P<slot><, NAME>|NAME|LAST|REPLY)(?P<after>.*)$")
SLOTS = ["", "NAME", "<, NAME>", "LAST", "REPLY"]
NO_NAME = "You have not told me your name yet."
NO_TURN = "This is the first thing that you have said to me."
NO_SUM = "I can work out sums of two numbers, as 3 + 4."
UNHEARD = "I did not catch your name. Say: my name is ..."
EMPTY = "You said nothing. Ask me what I can do."
TOLD = r"(?i:my name is|my name's|the name is|call me|i am called|i'm called)\s+(\pL[\pL'-]*)"
TOLD_SHORT = r"(?i:\bi am|\bi'm|\bthis is)\s+(\p{Lu}[\pL'-]*)"
SUM = r"(?i).*\d\s*([-+*/x]|plus|and|minus|less|times|multiplied by|divided by|over|added to)\s*-?\d.*"


def main() -> None:
    """Train, freeze, compare, measure, write."""
    parser = argparse.ArgumentParser(description="Train the chat example and write its model folder.")
    parser.add_argument("--to", type=Path, default=Path("models/chat/1"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace the folder if it exists")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    topics = yaml.safe_load((Path(__file__).parent / "chat.yaml").read_text(encoding="utf-8"))
    weights, bias = train(*pairs(topics, "questions", NAMES))
    served = replier(topics, weights, bias)
    graph_def = freeze(served, inputs=["question", "name", "turns"], outputs=["sentence", "confidence", "next_name"])
    sentence = measure(graph_def, topics)
    write_folder(
        arguments.to, graph_def=graph_def, manifest=manifest(sentence), warmup=list(golden(graph_def)),
        force=arguments.force,
    )  # fmt: skip


def pairs(topics: Mapping[str, dict[str, list[str]]], key: str, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Questions of all topics and the number of each one's topic (int32); with each name where there is a slot."""
    questions: list[str] = []
    numbers: list[int] = []
    for number, topic in enumerate(topics.values()):
        for place, question in enumerate(topic[key]):
            named = [names[(place + step) % len(names)] for step in range(4)] if "NAME" in question else [""]
            questions += [question.replace("NAME", name) for name in named]
            numbers += [number] * len(named)
    return questions, np.array(numbers, dtype=np.int32)


def rows(question: tf.Tensor) -> tf.RaggedTensor:
    """For each question (string (batch,)) the rows of the weights that count: int64 (batch, any).

    N-grams of 2 to 4 letters, words and pairs of words, by hash. All numbers look alike.
    """
    short = tf.strings.substr(question, 0, MAX_CHARACTERS, unit="UTF8_CHAR")
    plain = tf.strings.regex_replace(tf.strings.lower(short, "utf-8"), r"\d+([.,]\d+)?", "0")
    plain = tf.strings.strip(tf.strings.regex_replace(plain, r"[^\pL\pM0+*/-]+", " "))
    letters = tf.strings.ngrams(tf.strings.unicode_split(tf.strings.join([" ", plain, " "]), "UTF-8"), (2, 3, 4), "")
    words = tf.strings.ngrams(tf.strings.split(plain), (1, 2), "_")
    words = words.with_flat_values(tf.strings.join(["#", words.flat_values]))
    grams = tf.concat([letters, words], axis=1)
    return grams.with_flat_values(tf.strings.to_hash_bucket_fast(grams.flat_values, HASHED))


def logits(weights: tf.Tensor, bias: tf.Tensor, hashed: tf.RaggedTensor) -> tf.Tensor:
    """Sum of the rows of each question over the root of their number, plus bias: float32 (batch, topics)."""
    owners, batch = hashed.value_rowids(), hashed.nrows()
    total = tf.math.unsorted_segment_sum(tf.cast(tf.gather(weights, hashed.values), tf.float32), owners, batch)
    count = tf.math.unsorted_segment_sum(tf.ones_like(owners, tf.float32), owners, batch)
    return total * tf.math.rsqrt(tf.maximum(count, 1.0))[:, None] + bias


def train(questions: Sequence[str], numbers: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """Softmax regression on all questions at once. Returns weights (float16 (HASHED, topics)) and bias (float32)."""
    topics = int(numbers.max()) + 1
    weights, bias = tf.Variable(tf.zeros([HASHED, topics])), tf.Variable(tf.zeros([topics]))
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build([weights, bias])
    hashed = rows(tf.constant(questions))

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = logits(weights, bias, hashed)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, scores))
            loss += 5e-5 * tf.nn.l2_loss(weights)
        gradients = tape.gradient(loss, [weights, bias])
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], [weights, bias])
        return loss

    for number in range(STEPS):
        loss = step()
        if (number + 1) % 100 == 0:
            print(f"step {number + 1}: loss {loss:.4f}")
    return tf.cast(weights, tf.float16), tf.constant(bias.numpy())


def replier(
    topics: Mapping[str, dict[str, str]], weights: tf.Tensor, bias: tf.Tensor
) -> tf.types.experimental.ConcreteFunction:
    """The served function: question, name (string (batch,)), turns (string (batch, LAST, 2)) -> three outputs."""
    number = {topic: place for place, topic in enumerate(topics)}
    found = [SLOT.match(topic["answer"]) for topic in topics.values()]
    answers = [topic["answer"] for topic in topics.values()]
    before = tf.constant([match["before"] if match else text for match, text in zip(found, answers, strict=True)])
    after = tf.constant([match["after"] if match else "" for match in found])
    slots = tf.constant([SLOTS.index(match["slot"]) if match else 0 for match in found])

    def reply(question: tf.Tensor, name: tf.Tensor, turns: tf.Tensor) -> tuple[tf.Tensor, ...]:
        valid = tf.strings.strip(tf.strings.unicode_transcode(question, "UTF-8", "UTF-8", errors="replace"))
        probabilities = tf.nn.softmax(logits(weights, bias, rows(valid)))
        confidence = tf.reduce_max(probabilities, axis=1)
        best = tf.argmax(probabilities, axis=1, output_type=tf.int32)
        has_sum = tf.strings.regex_full_match(valid, SUM)
        topic = tf.where(confidence < LEAST, number["unknown"], best)

        def is_topic(wanted: str) -> tf.Tensor:
            return tf.equal(topic, number[wanted])

        heard = name_in(valid)
        topic = tf.where(is_topic("unknown") & (heard != ""), number["tell_name"], topic)
        told = is_topic("tell_name") & (heard != "")
        known = tf.where(told, heard, tf.where(is_topic("forget_name"), "", name))
        greeted = tf.where(known == "", "", tf.strings.join([", ", known]))
        said, replied = quoted(turns[:, -1, 0]), quoted(turns[:, -1, 1])
        values = tf.stack([tf.zeros_like(known, tf.string), known, greeted, said, replied], axis=1)
        value = tf.gather(values, tf.gather(slots, topic), axis=1, batch_dims=1)
        sentence = tf.strings.join([tf.gather(before, topic), value, tf.gather(after, topic)])
        first = (turns[:, -1, 1] == "") & (is_topic("last_question") | is_topic("last_answer"))
        for holds, instead in (
            (is_topic("tell_name") & ~told, UNHEARD),
            (is_topic("ask_name") & (known == ""), NO_NAME),
            (is_topic("sum") & ~has_sum, NO_SUM),
            (first, NO_TURN),
            (valid == "", EMPTY),
        ):
            sentence = tf.where(holds, instead, sentence)
        return sentence, confidence, known

    signature = [
        tf.TensorSpec([None], tf.string, "question"),
        tf.TensorSpec([None], tf.string, "name"),
        tf.TensorSpec([None, LAST, 2], tf.string, "turns"),
    ]
    return tf.function(reply, signature).get_concrete_function()


def name_in(question: tf.Tensor) -> tf.Tensor:
    """The name that a question tells, empty where it tells none. Letters, hyphens and apostrophes only."""
    name = tf.zeros_like(question, tf.string)
    for pattern in (TOLD_SHORT, TOLD):
        told = tf.strings.regex_full_match(question, rf"(?s).*{pattern}.*")
        name = tf.where(told, tf.strings.regex_replace(question, rf"(?s)^.*?{pattern}.*$", r"\1"), name)
    return tf.strings.substr(name, 0, LONGEST_NAME, unit="UTF8_CHAR")


def quoted(text: tf.Tensor) -> tf.Tensor:
    """The beginning of a text, without braces: those are for functions to fill, never for what a client says."""
    return tf.strings.regex_replace(tf.strings.substr(text, 0, MAX_CHARACTERS, unit="UTF8_CHAR"), r"[{}]", "")


def answers(
    graph_def: tf.compat.v1.GraphDef, questions: Sequence[str], name: str = "",
    turns: Sequence[tuple[str, str]] = (),
) -> dict[str, np.ndarray]:  # fmt: skip
    """What the frozen graph gives for each question, all asked by someone of this name after these turns."""
    feeds = feeds_of(questions, name, turns)
    return run_frozen(graph_def, feeds, ["sentence", "confidence", "next_name"])


def feeds_of(questions: Sequence[str], name: str, turns: Sequence[tuple[str, str]]) -> dict[str, np.ndarray]:
    """The graph's inputs."""
    padded = [("", "")] * (LAST - len(turns)) + list(turns)
    encoded = np.array([[text.encode() for text in turn] for turn in padded], dtype=object)
    return {
        "question": np.array([question.encode() for question in questions], dtype=object),
        "name": np.array([name.encode()] * len(questions), dtype=object),
        "turns": np.repeat(encoded[None], len(questions), axis=0),
    }


def measure(graph_def: tf.compat.v1.GraphDef, topics: Mapping[str, dict[str, list[str]]]) -> str:
    """Print how many held-out questions the frozen graph answers as they should; returns the manifest's sentence."""
    questions, numbers = pairs(topics, "held_out", UNSEEN_NAMES)
    given = answers(graph_def, questions, "Eve", [("hi", "Hello!")])
    sentences = [sentence.decode() for sentence in given["sentence"]]
    patterns = [expected(topic["answer"]) for topic in topics.values()]
    right = np.array([bool(patterns[number].fullmatch(text)) for number, text in zip(numbers, sentences, strict=True)])
    unknown = numbers == list(topics).index("unknown")
    for question, text, hit, score in zip(questions, sentences, right, given["confidence"], strict=True):
        if not hit:
            print(f"wrong: {question!r} -> {text!r} ({score:.2f})")
    trained = sum(len(topic["questions"]) for topic in topics.values())
    text = (
        f"Trained on {trained} questions written for it; held-out accuracy {right[~unknown].mean():.1%} "
        f"({right[~unknown].sum()} of {(~unknown).sum()} other wordings of its {len(topics) - 1} topics), and "
        f"{right[unknown].sum()} of {unknown.sum()} questions on other matters answered with not knowing."
    )
    print(text)
    return text


def expected(answer: str) -> re.Pattern[str]:
    """What a topic's sentences look like."""
    parts = re.split(r"<, NAME>|NAME|LAST|REPLY", answer)
    return re.compile(".*".join(re.escape(part) for part in parts))


def golden(graph_def: tf.compat.v1.GraphDef) -> Iterator[dict[str, dict[str, object]]]:
    """Calls for warm-up, with the frozen graph's answers."""
    turn = ("what is soap", "SOAP is a protocol.")
    for questions, name, turns in (
        (["what is SOAP"], "", []),
        (["My name is Zoë.", "what is 3 plus 4", "what time is it"], "", []),
        (["what is my name", "what did i say", "forget my name", ""], "Ada", [turn]),
        (["what is my name", "what did i say", "你好 & <ü>"], "", []),
    ):
        call = {"inputs": feeds_of(questions, name, turns), "outputs": answers(graph_def, questions, name, turns)}
        yield {side: {key: readable(value) for key, value in values.items()} for side, values in call.items()}


def readable(value: np.ndarray) -> object:
    """Bytes as text, in nested lists; numbers as they are."""
    return np.vectorize(bytes.decode, otypes=[object])(value).tolist() if value.dtype == object else value


def manifest(accuracy: str) -> dict[str, object]:
    """model.yaml, but for the graph's checksum."""

    def texts(tensor: str) -> dict[str, object]:
        return {"tensor": tensor, "dtype": "string", "shape": ["batch"]}

    return {
        "format": 1,
        "name": "chat",
        "description": f"A small conversation in English. {accuracy}",
        "signatures": {
            "predict": {
                "inputs": {
                    "question": texts("question:0"),
                    "name": texts("name:0"),
                    "turns": {"tensor": "turns:0", "dtype": "string", "shape": ["batch", LAST, 2]},
                },
                "outputs": {
                    "sentence": texts("sentence:0"),
                    "confidence": {"tensor": "confidence:0", "dtype": "float32", "shape": ["batch"]},
                    "next_name": texts("next_name:0"),
                },
            }
        },
        "contract": {
            "version": 1,
            "inputs": {"question": {"as": "text", "description": f"the first {MAX_CHARACTERS} letters count"}},
            "outputs": {
                "sentence": {"as": "text"},
                "confidence": {"description": "how sure the model is of the question's topic, 0 to 1"},
            },
        },
        "session": {
            "state": {"name": {"output": "next_name", "initial": ""}},
            "turns": {"input": "turns", "last": LAST},
            "functions": ["time", "date", "sum"],
        },
        "warmup": {"file": "warmup.jsonl", "rtol": 1.0e-3, "atol": 1.0e-4},
        "limits": {"max_batch": 1000, "max_text_bytes": 10_000},
    }


if __name__ == "__main__":
    main()

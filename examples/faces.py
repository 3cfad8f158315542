"""The pipeline `faces`: mtcnn's three nets find faces in a photograph, fer's net says which emotion each shows.

Freezes the published nets of both packages with `python -m soapsvc freeze`, writes the pipeline beside them, with the
packages' licences (MIT), and compares its answer on scikit-image's astronaut with that of mtcnn's own code.

    python examples/faces.py [--to .faces/models] [--force]
"""

import argparse
import io
import shutil
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

SAMPLE = Path(__file__).with_name("astronaut.jpg")  # of scikit-image's astronaut; public domain
PACKAGES = Path(sys.prefix) / "real-models"  # where `make example-faces` puts mtcnn, fer and scikit-image
EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]  # in the order of fer's net
POINTS = ["leftEye", "rightEye", "nose", "mouthLeft", "mouthRight"]
NETS = {"pnet": ("offsets", "scores"), "rnet": ("offsets", "scores"), "onet": ("offsets", "landmarks", "scores")}
SIDES = {"pnet": None, "rnet": 24, "onet": 48}  # of the pictures that they take


def main() -> None:
    """Freeze, write, compare."""
    parser = argparse.ArgumentParser(description="Freeze mtcnn and fer, and write the pipeline faces.")
    parser.add_argument("--to", type=Path, default=Path(".faces/models"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace folders that exist")
    arguments = parser.parse_args()
    sys.path.append(str(PACKAGES))
    with tempfile.TemporaryDirectory() as work:
        freeze_nets(arguments.to, Path(work), arguments.force)
    folder = arguments.to / "faces" / "1"
    write_pipeline(folder, arguments.force)
    for license_of, models in (("mtcnn", ("mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet", "faces")), ("fer", ("fer",))):
        for model in models:
            shutil.copy(license_file(license_of), arguments.to / model / "1" / "LICENSE")
    compare(folder, Image.open(PACKAGES / "skimage/data/astronaut.png").convert("RGB"))


def freeze_nets(models: Path, work: Path, force: bool) -> None:
    """Write a folder for each net; work: for files that the packages don't have."""
    import keras
    from mtcnn.stages import StageONet, StagePNet, StageRNet

    from soapsvc.cli import main as soapsvc

    options = ["--force"] if force else []
    for (name, outputs), stage in zip(NETS.items(), (StagePNet, StageRNet, StageONet), strict=True):
        given = keras.Input((SIDES[name], SIDES[name], 3), name="patches")
        keras.Model(given, stage().model.call(given)).save(work / f"{name}.keras")  # a class and weights of joblib's
        limits = work / "limits.yaml"
        limits.write_text(yaml.safe_dump({"limits": {"max_elements": 64_000_000}}))
        names, to = ["--output-names", ",".join(outputs)], ["--to", str(models / f"mtcnn-{name}" / "1")]
        assert soapsvc(["freeze", str(work / f"{name}.keras"), *to, *names, "--contract", str(limits), *options]) == 0
    (work / "emotions.txt").write_text("\n".join(EMOTIONS))
    emotions = ["--input-names", "faces", "--output-names", "emotions", "--labels", str(work / "emotions.txt")]
    source = str(PACKAGES / "fer/data/emotion_model.hdf5")
    assert soapsvc(["freeze", source, "--to", str(models / "fer" / "1"), *emotions, *options]) == 0


STEPS: dict[str, Any] = {
    "decode": {"function": "decode_image", "inputs": {"content": "image"}, "with": {"channels": 3}},
    "normal": {"function": "functions.py:normal", "inputs": {"picture": "decode.picture"}},
    "pyramid": {"function": "functions.py:pyramid", "inputs": {"picture": "normal.normal"}},
    "pnet": {"model": "mtcnn-pnet", "inputs": {"patches": "pyramid.levels"}},
    "propose": {
        "function": "functions.py:propose",
        "inputs": {"offsets": "pnet.offsets", "scores": "pnet.scores", "scales": "pyramid.scales"},
    },
    "crops24": {
        "function": "crop_resized", "inputs": {"picture": "normal.normal", "boxes": "propose.boxes"},
        "with": {"height": 24, "width": 24},
    },
    "rnet": {"model": "mtcnn-rnet", "inputs": {"patches": "crops24.crops"}},
    "refine": {
        "function": "functions.py:refine",
        "inputs": {"found": "propose.found", "offsets": "rnet.offsets", "scores": "rnet.scores"},
    },
    "crops48": {
        "function": "crop_resized", "inputs": {"picture": "normal.normal", "boxes": "refine.boxes"},
        "with": {"height": 48, "width": 48},
    },
    "onet": {"model": "mtcnn-onet", "inputs": {"patches": "crops48.crops"}},
    "judge": {
        "function": "functions.py:judge",
        "inputs": {
            "found": "refine.found", "offsets": "onet.offsets", "landmarks": "onet.landmarks", "scores": "onet.scores",
            "picture": "decode.picture",
        },
    },
    "grey": {"function": "decode_image", "inputs": {"content": "image"}, "with": {"channels": 1}},
    "around": {"function": "functions.py:around", "inputs": {"boxes": "judge.boxes"}},
    "crops64": {
        "function": "crop_resized", "inputs": {"picture": "grey.picture", "boxes": "around.around"},
        "with": {"height": 64, "width": 64},
    },
    "even": {"function": "scale", "inputs": {"values": "crops64.crops"}, "with": {"factor": 2 / 255, "offset": -1.0}},
    "emotion": {"model": "fer", "inputs": {"faces": "even.scaled"}},
}  # fmt: skip
OUTPUTS = {
    "boxes": {"tensor": "judge.boxes", "dtype": "int32", "shape": ["faces", 4]},
    "scores": {"tensor": "judge.scores", "dtype": "float32", "shape": ["faces"]},
    "points": {"tensor": "judge.points", "dtype": "int32", "shape": ["faces", 10]},
    "emotions": {"tensor": "emotion.emotions", "dtype": "float32", "shape": ["faces", 7]},
}
MANIFEST: dict[str, Any] = {
    "format": 1,
    "name": "faces",
    "description": "Faces in a photograph, and the emotion that each shows. Nets of mtcnn 1.0.0 and fer 25.10.3.",
    "steps": STEPS,
    "signatures": {
        "predict": {"inputs": {"image": {"tensor": "image", "dtype": "string", "shape": []}}, "outputs": OUTPUTS}
    },
    "contract": {
        "inputs": {"image": {"as": "image", "description": "PNG or JPEG of any size"}},
        "records": {"faces": {"type": "DetectedFace", "description": "Best first."}},
        "outputs": {
            "boxes": {"record": "faces", "element": "box", "type": "Box", "columns": ["x", "y", "width", "height"]},
            "scores": {"record": "faces", "element": "score"},
            "points": {
                "record": "faces", "element": "landmarks", "type": "Landmarks",
                "columns": [f"{point}{axis}" for point in POINTS for axis in "XY"],
            },
            "emotions": {"record": "faces", "element": "emotion", "as": "scoredLabels", "labels": EMOTIONS},
        },
    },
    "limits": {"max_image_pixels": 6_000_000},  # mtcnn looks at every size of a picture: 16 million took half a minute
}  # fmt: skip


def write_pipeline(folder: Path, force: bool) -> None:
    """Write the pipeline's folder, with one golden call that only warms up."""
    import base64
    import json

    if folder.exists() and not force:
        raise FileExistsError(f"{folder} exists; write the next version, or replace this one with --force")
    folder.mkdir(parents=True, exist_ok=True)
    call = {"inputs": {"image": {"b64": base64.b64encode(SAMPLE.read_bytes()).decode()}}}
    (folder / "warmup.jsonl").write_text(f"{json.dumps(call)}\n")
    (folder / "model.yaml").write_text(yaml.safe_dump(MANIFEST | {"warmup": {}}, sort_keys=False, width=110))
    shutil.copy(Path(__file__).with_name("faces_functions.py"), folder / "functions.py")


def encoded(picture: Image.Image) -> bytes:
    """The picture as the bytes of a PNG file."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def license_file(package: str) -> Path:
    """The licence that a package came with."""
    files = [file for file in distribution(package).files or () if file.name == "LICENSE"]
    return Path(str(files[0].locate()))


def compare(folder: Path, picture: Image.Image) -> None:
    """Print what the pipeline and mtcnn's own code answer; raises AssertionError where the boxes differ."""
    from mtcnn import MTCNN

    from soapsvc.model.loader import load
    from soapsvc.model.source import version_folder

    faces = load(version_folder(folder), pipeline_code=("faces",))
    image = np.asarray(encoded(picture), object)
    answer = faces.run(faces.find_signature(None), {"image": image})
    own = MTCNN().detect_faces(np.asarray(picture))
    for box, score, emotion in zip(answer["boxes"], answer["scores"], answer["emotions"], strict=True):
        print(f"face at {box.tolist()}, score {score:.4f}, {EMOTIONS[int(emotion.argmax())]} {emotion.max():.2f}")
    print(f"mtcnn's own code: {[face['box'] for face in own]}")
    assert answer["boxes"].tolist() == [face["box"] for face in own]
    faces.graph.close()


if __name__ == "__main__":
    main()

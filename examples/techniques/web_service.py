"""Technique 8: serve a model as a web service, and call it from another program.

The caller knows a WSDL address and no tensors: fields have names and types, and what is wrong comes as a typed fault.
clients/java has the same calls from Java.

    python examples/techniques/web_service.py
"""

from pathlib import Path

import keras
import zeep
from shared import command, serving, workplace
from sklearn.datasets import load_iris


def main() -> None:
    """Train, freeze with names for the columns, serve, call, and call wrongly."""
    keras.utils.set_random_seed(1)
    flowers, species = load_iris(return_X_y=True)
    model = keras.Sequential([keras.Input([4], name="flower"), keras.layers.Dense(3, "softmax", name="species")])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    model.fit(flowers, species, epochs=50, verbose=0)
    with workplace():
        model.save("iris.keras")
        Path("species.txt").write_text("setosa\nversicolor\nvirginica\n")
        command(
            "freeze", "iris.keras", "--to", "models/flowers/1", "--labels", "species.txt",
            "--columns", "sepalLength,sepalWidth,petalLength,petalWidth",
        )  # fmt: skip
        with serving() as url:
            service = zeep.Client(f"{url}/soap/flowers/v1?wsdl").service
            prediction = service.predict(sepalLength=5.1, sepalWidth=3.5, petalLength=1.4, petalWidth=0.2)
            best = prediction.species.item[0]
            print(f"flowers over SOAP: {best.label}, score {best.score:.2f}")
            try:
                service.predictBatch({"item": []})
            except zeep.exceptions.Fault as fault:
                print(f"fault over SOAP: {fault.message}")


if __name__ == "__main__":
    main()

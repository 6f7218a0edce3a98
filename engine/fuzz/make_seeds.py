"""Adds seeds to the corpus: one small model for every operator of the onnx package's node tests, and the small models of the engine's tests.

make_seeds.py FOLDER, where FOLDER is what tests/conformance/node_tests.py wrote. Needs onnx.
"""

import hashlib
import sys
from pathlib import Path

import onnx

HERE = Path(__file__).resolve().parent
LARGEST = 4000


def open_rows(info: onnx.ValueInfoProto) -> None:
    dims = info.type.tensor_type.shape.dim
    if dims:
        dims[0].ClearField("dim_value")
        dims[0].dim_param = "N"


def rows_model(folder: Path) -> bytes | None:
    """The first input in rows, a score beside it, the other inputs as constants."""
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    if not graph.input or not all(i.type.HasField("tensor_type") for i in graph.input):
        return None
    for index, info in reversed(list(enumerate(graph.input))[1:]):
        tensor = onnx.TensorProto.FromString((folder / f"input_{index}.pb").read_bytes())
        tensor.name = info.name
        graph.initializer.append(tensor)
        del graph.input[index]
    open_rows(graph.input[0])
    for info in graph.output:
        open_rows(info)
    return model.SerializeToString()


def add(target: str, content: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def main() -> None:
    models: dict[str, bytes] = {}
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        nodes = onnx.load(folder / "model.onnx").graph.node
        content = rows_model(folder)
        if len(nodes) == 1 and content and len(content) < LARGEST:
            best = models.get(nodes[0].op_type)
            if best is None or len(content) < len(best):
                models[nodes[0].op_type] = content
    tests = HERE.parent / "tests"
    for path in [*tests.glob("hostile/seeds/*.onnx"), *tests.glob("models/exported/*.onnx")]:
        models[path.stem] = path.read_bytes()
    small = [content for content in models.values() if len(content) < LARGEST]
    for content in small:
        add("admit", content)
        add("score_row", bytes(8) + content)
    for content in small[::4]:
        add("prescan", content)


if __name__ == "__main__":
    main()

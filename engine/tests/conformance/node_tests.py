"""Writes the node tests of the onnx package: a folder for every case with model.onnx, input_<i>.pb and output_<i>.pb.

Models are written for the newest operator set; a model is given the oldest one that has its operators in the same version,
so that it means the same to a reader of that set.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import defs, numpy_helper
from onnx.backend.test.case.node import collect_testcases

DOMAINS = {"": "", "ai.onnx": "", "ai.onnx.ml": "ai.onnx.ml"}


def lower(model: onnx.ModelProto) -> bool:
    """Gives every domain the oldest set with these versions; False for other domains."""
    needed: dict[str, int] = {}
    versions = {DOMAINS.get(entry.domain): entry.version for entry in model.opset_import}
    for node in model.graph.node:
        domain = DOMAINS.get(node.domain)
        if domain is None:
            return False
        schema = defs.get_schema(node.op_type, versions[domain], domain)
        needed[domain] = max(needed.get(domain, 1), schema.since_version)
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in sorted(needed.items()))
    model.ir_version = min(model.ir_version, 10)
    return True


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    folder = arguments.parse_args().folder
    warnings.simplefilter("ignore")
    np.random.seed(0)
    written = 0
    for case in collect_testcases(None):
        inputs, outputs = case.data_sets[0]
        tensors = all(isinstance(value, (np.ndarray, np.generic)) for value in [*inputs, *outputs])
        if not tensors or not lower(case.model):
            continue
        target = folder / case.name
        target.mkdir(parents=True, exist_ok=True)
        (target / "model.onnx").write_bytes(case.model.SerializeToString())
        for kind, values in (("input", inputs), ("output", outputs)):
            for index, value in enumerate(values):
                tensor = numpy_helper.from_array(np.asarray(value))
                (target / f"{kind}_{index}.pb").write_bytes(tensor.SerializeToString())
        (target / "tolerance.json").write_text(json.dumps({"relative": case.rtol, "absolute": case.atol}))
        written += 1
    print(f"{written} node tests of onnx {onnx.__version__}")


if __name__ == "__main__":
    main()

"""Trains and exports the models of the suite and records onnxruntime's answers: `generate.py --families f ... -- [name ...]`.

Names are models or families; without any, all models of the families are written anew, and files of models that no longer
exist are not removed. Each family is trained in a process of its own, single-threaded, because the libraries disturb each
other's random numbers and threads.
"""

import argparse
import importlib
import os
import subprocess
import sys

SETTINGS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")}
SETTINGS |= {"PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", required=True)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if arguments.here:
        return train(arguments.families[0], arguments.names)
    failed = 0
    for family in arguments.families:
        command = [sys.executable, __file__, "--here", "--families", family, "--", *arguments.names]
        failed += subprocess.run(command, env=os.environ | SETTINGS, check=False).returncode
    return min(failed, 1)


def train(family: str, wanted: list[str]) -> int:
    import suite

    importlib.import_module(family)
    failed = 0
    for name in suite.CASES:
        if wanted and family not in wanted and name not in wanted:
            continue
        try:
            print(suite.write(name), flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: FAILED {type(error).__name__}: {str(error)[:400]}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

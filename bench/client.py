"""One measurement of the way around the database: fetch every feature, score outside. Argument: the round."""

import asyncio
import sys
import time

import asyncpg
import numpy
import onnxruntime


async def measure(round_: int) -> None:
    connection = await asyncpg.connect(database="bench")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    onnx = await connection.fetchval("SELECT onnx FROM bench.model")
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    began = time.perf_counter()
    rows = await connection.fetch("SELECT features FROM bench.features")
    block = numpy.array([row["features"] for row in rows], dtype="float32")
    scores = session.run([session.get_outputs()[-1].name], {session.get_inputs()[0].name: block})[0][:, 1]
    assert len(scores) == len(rows)
    took = 1000 * (time.perf_counter() - began)

    await connection.execute("INSERT INTO bench.sample VALUES ($1, 'client', $2)", round_, took)
    await connection.close()


asyncio.run(measure(int(sys.argv[1])))

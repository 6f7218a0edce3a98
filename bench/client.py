"""One measurement of the way around the database: fetch every feature, score outside. Argument: the round."""

import sys
import time

import numpy
import onnxruntime
import psycopg

with psycopg.connect("dbname=bench") as connection:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    (onnx,) = connection.execute("SELECT onnx FROM bench.model").fetchone()
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    began = time.perf_counter()
    rows = connection.cursor(binary=True).execute("SELECT features FROM bench.features").fetchall()
    block = numpy.array([features for (features,) in rows], dtype="float32")
    scores = session.run([session.get_outputs()[-1].name], {session.get_inputs()[0].name: block})[0][:, 1]
    assert len(scores) == len(rows)
    took = 1000 * (time.perf_counter() - began)

    connection.execute("INSERT INTO bench.sample VALUES (%s, 'client', %s)", (int(sys.argv[1]), took))

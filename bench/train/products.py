"""Matrix products of NumPy's OpenBLAS or of PyTorch for the driver, which sends
lines OP M N K, OP being NN, NT or TN, and gets milliseconds."""

import json
import statistics
import sys
import time


def engine(name, threads):
    """A function that makes an array, one that multiplies into c, and versions."""
    import numpy as np
    if name == "openblas":
        from threadpoolctl import threadpool_info
        np.ones((8, 8), np.float32) @ np.ones((8, 8), np.float32)
        blas = next(i for i in threadpool_info() if i["internal_api"] == "openblas")
        assert blas["num_threads"] == threads, f"OpenBLAS has {blas['num_threads']} threads"
        about = f"NumPy {np.__version__}, OpenBLAS {blas['version']}, core {blas['architecture']}"
        return np.asarray, lambda a, b, c: np.matmul(a, b, out=c), about
    import torch
    torch.set_num_threads(threads)
    return torch.from_numpy, lambda a, b, c: torch.mm(a, b, out=c), f"PyTorch {torch.__version__}"


def measure(make, multiply, op, m, n, k):
    import numpy as np

    def operand(rows, cols, transposed):
        x = make((np.arange(rows * cols, dtype=np.float32) % 31 / 31).reshape((cols, rows) if transposed else (rows, cols)))
        return x.T if transposed else x

    a, b = operand(m, k, op[0] == "T"), operand(k, n, op[1] == "T")
    c = make(np.zeros((m, n), np.float32))
    multiply(a, b, c)
    times, began = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - began < .03:
        start = time.perf_counter()
        multiply(a, b, c)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    make, multiply, about = engine(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({"base": 0, "about": about}), flush=True)
    for line in sys.stdin:
        op, *sizes = line.split()
        print(json.dumps(measure(make, multiply, op, *map(int, sizes))), flush=True)


if __name__ == "__main__":
    main()

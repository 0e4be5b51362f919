#!/usr/bin/env python3
"""Writes tests/fixtures/io/numpy_*: arrays as NumPy itself writes them, for gradus/io/npy_test.cpp.

Run by hand (needs numpy; made with numpy 2): the files are committed.

    python3 tools/golden/numpy_files.py
"""
import pathlib

import numpy as np

folder = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "fixtures" / "io"
ramp = np.arange(24).reshape(2, 3, 4)
arrays = {
    "f4": ramp.astype("<f4") / 8,
    "f8_fortran": np.asfortranarray(ramp.astype("<f8") / 7),
    "i4_big": ramp.astype(">i4") - 12,
    "i8": ramp.astype("<i8") * 2**40,
    "u1_fortran": np.asfortranarray(ramp.astype("u1")),
    "bool": ramp % 3 == 0,
    "scalar": np.array(2.5, "<f4"),
    "empty": np.zeros((0, 3), "<f8"),
    "vector": np.arange(5, dtype="<i8"),
}
np.save(folder / "numpy_f8_fortran.npy", arrays["f8_fortran"])
np.save(folder / "numpy_i4_big.npy", arrays["i4_big"])
np.savez(folder / "numpy_stored.npz", **arrays)
np.savez_compressed(folder / "numpy_deflated.npz", **arrays)

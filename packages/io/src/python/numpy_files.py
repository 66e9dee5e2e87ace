"""The arrays of numpy.test.ts: compares what was saved there with NumPy's own files, and saves others. Usage: numpy_files.py FOLDER"""

import sys

import numpy as np

FOLDER = sys.argv[1]

# Ours: the same bytes as numpy.save, and archives that NumPy reads.
arrays = {
    "f4": np.arange(6, dtype="<f4").reshape(2, 3) / 4,
    "i4": np.array([-(2**31), 2**31 - 1], dtype="<i4"),
    "u4": np.array(2**32 - 1, dtype="<u4"),
    "b1": np.array([[True], [False]]),
    "empty": np.zeros((0, 3), dtype="<f4"),
}
for name, array in arrays.items():
    np.save(f"{FOLDER}/theirs.npy", array)
    with open(f"{FOLDER}/theirs.npy", "rb") as theirs, open(f"{FOLDER}/{name}.npy", "rb") as ours:
        assert theirs.read() == ours.read(), name
for archive in ["stored.npz", "compressed.npz"]:
    with np.load(f"{FOLDER}/{archive}") as ours:
        assert set(ours.files) == {"a/b", "ä", "__proto__"}, ours.files
        for name in ours.files:
            assert ours[name].dtype == np.float32 and (ours[name] == arrays["f4"]).all(), name

# Theirs: every dtype, byte order and order of axes, in all versions of the format.
values = np.arange(24).reshape(2, 3, 4)
theirs = {}
for dtype in ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]:
    for order in "<>":
        for axes in "CF":
            theirs[f"{dtype} {order} {axes}"] = np.array(values % 2 if dtype == "?" else values, dtype=order + dtype, order=axes)
np.savez(f"{FOLDER}/theirs.npz", **theirs)
np.savez_compressed(f"{FOLDER}/theirs-compressed.npz", **theirs)
for major in [1, 2, 3]:
    with open(f"{FOLDER}/version{major}.npy", "wb") as file:
        np.lib.format.write_array(file, values.astype("f4"), version=(major, 0))

"""Rows: dumpifs, and the UCL decoder that it shares with a mount."""

import ctypes
import ctypes.util
import os
import resource
import shutil
import subprocess
import tempfile

import corpora
import host
import packed
from corpora import BIG
from host import NotMeasured
from table import longer, medians, row, sooner


def room(path):
    return shutil.disk_usage(path).free if os.path.isdir(path) else 0


@row("extract-ucl", "UCL: dumpifs -x of all (ours) against one processor (peer)", ">=", 1.7)
def extract(runs):
    image = str(BIG.image("ucl.ifs"))
    # On a disk, making 20,000 files where as many were just removed is most of the time.
    place = "/dev/shm" if room("/dev/shm") > 2 << 30 else corpora.home

    def side(*wrapper):
        def measure():
            with tempfile.TemporaryDirectory(dir=place, prefix="ifsfs-bench.") as out:
                return host.timed(*wrapper, host.DUMPIFS, "-x", "-d", out + "/tree", image)
        return measure
    if not shutil.which("taskset") or os.cpu_count() < 2:
        raise NotMeasured("taskset or a second processor is missing")
    host.warm(image)
    return sooner(*medians(side(), side("taskset", "-c", "0"), runs=runs))


def user_seconds(who):
    return resource.getrusage(who).ru_utime


def ours(image):
    """Processor time of dumpifs while it unpacks an image to nowhere."""
    before = user_seconds(resource.RUSAGE_CHILDREN)
    host.run(host.DUMPIFS, "-u", "/dev/null", str(image))
    return user_seconds(resource.RUSAGE_CHILDREN) - before


def libucl():
    """libucl's checking decoder."""
    name = ctypes.util.find_library("ucl")
    if not name:
        raise NotMeasured("libucl is missing")
    decode = ctypes.CDLL(name).ucl_nrv2b_decompress_safe_8
    decode.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p,
                       ctypes.POINTER(ctypes.c_uint), ctypes.c_void_p]
    return decode


def theirs(image, blocks):
    """Processor time of libucl for the same blocks, one call each."""
    decode, room = libucl(), ctypes.create_string_buffer(packed.BLOCK)
    with open(image, "rb") as file:
        data = file.read()
    start = ctypes.cast(data, ctypes.c_void_p).value
    count = ctypes.c_uint()
    before = user_seconds(resource.RUSAGE_SELF)
    for offset, length in blocks:
        count.value = packed.BLOCK
        status = decode(start + offset, length, room, ctypes.byref(count), None)
        assert status == 0, f"libucl: {status}"
    return user_seconds(resource.RUSAGE_SELF) - before


@row("decode-ucl", "UCL: dumpifs -u, processor time, against libucl's decoder alone", "<=", 1.5)
def decode(runs):
    image = BIG.image("ucl.ifs")
    blocks = sorted(packed.chain(image, packed.layout(image)[0]))
    return longer(*medians(lambda: ours(image), lambda: theirs(image, blocks), runs=runs))

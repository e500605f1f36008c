"""Rows: what a mount's process holds after it has served everything."""

import re

import host
from corpora import BIG
from reading import bandwidth, find, operations, tar
from table import Outcome, row

MIB = 1 << 20
# Bytes of unpacked blocks that a mount keeps.
CACHE = 64 * MIB
LOADS = [find, tar, bandwidth("sequential"), bandwidth("streams"), operations("random"),
         operations("direct")]


def anonymous(process):
    """Bytes of a process's anonymous memory."""
    with open(f"/proc/{process.pid}/smaps_rollup") as rollup:
        return int(re.search(r"^Anonymous:\s+(\d+) kB", rollup.read(), re.M)[1]) << 10


def held(kind, cache):
    """The memory, and its limit of 16 MiB, 120 bytes an entry, and the cache."""
    with host.Mount(BIG.image(kind)) as mount:
        for load in LOADS:
            load(mount)
        held = anonymous(mount.process)
    limit = 16 * MIB + 120 * BIG.entry_count + cache
    show = "{:.1f} MiB".format
    return Outcome(show(held / MIB), show(limit / MIB), held / limit)


@row("memory-none", "anonymous memory (ours) against its limit (peer)", "<=", 1)
def memory_none(_):
    return held("ifs", 0)


@row("memory-lzo", "LZO: the same, the block cache of 64 MiB allowed for", "<=", 1)
def memory_lzo(_):
    return held("lzo.ifs", CACHE)


@row("memory-ucl", "UCL: the same", "<=", 1)
def memory_ucl(_):
    return held("ucl.ifs", CACHE)

"""Rows: mkifs, from a tree to an image on the disk."""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import corpora
import host
from corpora import BIG
from host import NotMeasured
from table import Outcome, longer, medians, row, sooner

MKIFS = ".build/release/mkifs"
LIMIT = 200 << 20
PEAK = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def build(tree, image, *options):
    """The command that makes an image of a tree."""
    return [MKIFS, "-nn", *options, "/dev/null", str(tree), str(image)]


def scratch():
    """A directory on the disk that the corpora are on."""
    return tempfile.TemporaryDirectory(dir=corpora.home, prefix="bench.")


@row("mkifs-none", "mkifs of 20,000 files + 500 MB against cp -r and sync", "<=", 1.3)
def plain(runs):
    def ours():
        with scratch() as place:
            return host.timed(*build(BIG.tree, Path(place) / "image"))

    def peer():
        with scratch() as place:
            return host.timed("sh", "-c", 'cp -r "$0" "$1" && sync -f "$1"', str(BIG.tree),
                              place + "/tree")
    host.run("sync")
    return longer(*medians(ours, peer, runs=min(runs, 5)))


def on_processors(method, runs):
    """All processors against one; the bytes must be the same. Each run takes half a minute."""
    if not shutil.which("taskset") or os.cpu_count() < 2:
        raise NotMeasured("taskset or a second processor is missing")
    with scratch() as place:
        images = [Path(place) / name for name in ("all", "one")]

        def side(image, *wrapper):
            return lambda: host.timed(*wrapper, *build(BIG.tree, image, "-l", f"[compress={method}]"))
        times = medians(side(images[0]), side(images[1], "taskset", "-c", "0"), runs=min(runs, 2),
                        warmups=0)
        assert filecmp.cmp(*images, shallow=False), "the images differ"
        return sooner(*times)


@row("mkifs-lzo", "LZO: mkifs of the same (ours) against one processor (peer), same bytes", ">=", 1.8)
def lzo(runs):
    return on_processors(2, runs)


@row("mkifs-ucl", "UCL: the same", ">=", 1.8)
def ucl(runs):
    return on_processors(3, runs)


@row("mkifs-memory", "mkifs --fast, UCL, of 500 MB: most memory against its limit", "<=", 1)
def memory(_):
    with scratch() as place:
        command = build(BIG.tree, Path(place) / "image", "--fast", "-l", "[compress=3]")
        # A child's peak starts from its parent's, so the parent is a small one.
        done = subprocess.run([sys.executable, "-c", PEAK, *command], check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    peak = int(done.stdout) * 1024
    return Outcome(f"{peak / (1 << 20):.1f} MiB", f"{LIMIT >> 20} MiB", peak / LIMIT)

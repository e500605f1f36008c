"""Rows: reading from a mount of an image that is not packed."""

import json
import os
import subprocess

import host
from corpora import BIG
from table import faster, medians, rate, row, sooner


def fio(section, mount):
    """What fio reports of a section of the job file."""
    done = subprocess.run(
        ["fio", "--readonly", f"--section={section}", "--output-format=json", host.FIO_JOBS],
        env=dict(os.environ, FILE=mount.path("large")), check=True, timeout=host.PATIENCE,
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return report["jobs"][0]["read"]


def bandwidth(section):
    return lambda mount: fio(section, mount)["bw_bytes"]


def operations(section):
    return lambda mount: fio(section, mount)["iops"]


def find(mount):
    """A stat of every entry."""
    return host.timed("find", mount.directory, "-size", "+0")


def tar(mount):
    """All small files through tar; it would read none if it saw that its output is /dev/null."""
    return host.timed("sh", "-c", 'tar cf - -C "$0" files | cat', mount.directory)


def cold(image, measure):
    """`measure` in a fresh mount, nothing cached."""
    def side():
        with host.Mount(image) as mount:
            host.drop_caches()
            return measure(mount)
    return side


def fresh(image, measure):
    """`measure` in a fresh mount, the image file in the page cache."""
    def side():
        host.warm(image)
        with host.Mount(image) as mount:
            return measure(mount)
    return side


def warm(image, measure):
    """`measure` for the second time in a mount."""
    def side():
        with host.Mount(image) as mount:
            measure(mount)
            return measure(mount)
    return side


def pair(state, measure, runs, kinds=("ifs", "sqfs")):
    sides = [state(BIG.image(kind), measure) for kind in kinds]
    return medians(*sides, runs=runs, warmups=0)


def thousands(value):
    return f"{value / 1000:.1f}k IOPS"


@row("seq-cold", "sequential read of 500 MB, cold", ">=", 0.9)
def sequential_cold(runs):
    return faster(*pair(cold, bandwidth("sequential"), runs), rate)


@row("seq-warm", "the same, warm", ">=", 0.9)
def sequential_warm(runs):
    return faster(*pair(warm, bandwidth("again"), runs), rate)


@row("rand-cold", "random 4 KiB, 4 jobs, buffered, cold", ">=", 0.9)
def random_cold(runs):
    return faster(*pair(cold, operations("random"), runs), thousands)


@row("rand-direct", "random 4 KiB, 4 jobs, O_DIRECT", ">=", 0.9)
def random_direct(runs):
    return faster(*pair(fresh, operations("direct"), runs), thousands)


@row("find-cold", "find with a stat of each, 20,000 files, cold", ">=", 0.9)
def find_cold(runs):
    return sooner(*pair(cold, find, runs))


@row("find-warm", "the same, warm", ">=", 0.9)
def find_warm(runs):
    return sooner(*pair(warm, find, runs))


@row("tar-cold", "tar of 20,000 files, cold", ">=", 0.9)
def tar_cold(runs):
    return sooner(*pair(cold, tar, runs))


@row("tar-warm", "the same, warm", ">=", 0.9)
def tar_warm(runs):
    return sooner(*pair(warm, tar, runs))

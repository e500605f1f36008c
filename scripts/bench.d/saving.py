"""Rows: changing a tree through a mount, and what it takes to save that."""

import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import corpora
import host
from corpora import BIG, SMALL
from host import NotMeasured
from table import Outcome, faster, longer, medians, row, seconds, sooner

MIB = 1 << 20
MOUNT, UMOUNT = ".build/release/mount.ifs", ".build/release/umount.ifs"
# Bytes of the sequential write.
WRITTEN = 300 * MIB
# What a server may hold.
MEMORY = 64 * MIB
# Seconds after which copying is given up: what takes longer counts as so much.
LONGEST = 120
# Seconds that putting an image in its place may take which was made ahead.
AHEAD = 0.150


@contextmanager
def scratch():
    """A directory on the disk that the corpora are on, with a mount point in it."""
    host.require_fuse()
    with tempfile.TemporaryDirectory(dir=corpora.home, prefix="bench.") as place:
        point = Path(place) / "mnt"
        point.mkdir()
        yield Path(place), point


def mounted(image, point, options="rw"):
    host.run(MOUNT, str(image), str(point), "-o", options)


def copy_of(image, place):
    """A copy that a mount may replace, on the disk already."""
    copy = place / "image.ifs"
    shutil.copyfile(image, copy)
    host.run("sync", str(copy))
    return copy


def copy_in(source, target):
    """Seconds that `cp -a` takes, LONGEST at most; what it reads is in the page cache."""
    host.run("sh", "-c", 'tar cf - "$0" 2>/dev/null | cat', str(source))
    return host.timed("sh", "-c", 'timeout "$0" cp -a "$1" "$2" || [ $? -eq 124 ]',
                      str(LONGEST), str(source), str(target))


def into_image():
    with scratch() as (place, point):
        mounted(copy_of(SMALL.image("ifs"), place), point, "rw,nosave")
        try:
            return copy_in(BIG.tree / "files", point / "copy")
        finally:
            host.run(UMOUNT, str(point))


def into_archive(*command, archive):
    """The same into a mount of another kind; what it takes to save is not counted."""
    if not shutil.which(command[0]):
        raise NotMeasured(f"{command[0]} is missing")

    def measure():
        with scratch() as (place, point):
            file = place / archive
            if archive.endswith("tar"):
                host.run("tar", "cf", str(file), "--files-from", "/dev/null")
            host.run(*command, str(file), str(point))
            try:
                return copy_in(BIG.tree / "files", point / "copy")
            finally:
                host.run("fusermount3", "-u", str(point))
                gone(file)
    return measure


def gone(file):
    """Waits until a server that saves as it ends has ended."""
    while subprocess.run(["pgrep", "-f", str(file)], stdout=subprocess.DEVNULL).returncode == 0:
        time.sleep(0.05)


def onto_disk():
    with scratch() as (place, _):
        return copy_in(BIG.tree / "files", place / "copy")


@row("copy-zip", "cp -a of 20,000 files into a mount against fuse-zip", ">=", 2)
def copy_zip(runs):
    return sooner(*medians(into_image, into_archive("fuse-zip", archive="x.zip"), runs=min(runs, 3)))


@row("copy-tar", "the same against archivemount", ">=", 2)
def copy_tar(runs):
    ours, = medians(into_image, runs=min(runs, 3))
    peer, = medians(into_archive("archivemount", archive="x.tar"), runs=1, warmups=0)
    return sooner(ours, peer)


@row("copy-disk", "the same against the disk itself", "")
def copy_disk(runs):
    return longer(*medians(into_image, onto_disk, runs=min(runs, 3)))


@row("write-seq", "300 MB written and synced against the disk itself", ">=", 0.5)
def write(runs):
    def side(target):
        elapsed = host.timed("dd", "if=/dev/zero", f"of={target}", "bs=1M",
                             f"count={WRITTEN // MIB}", "conv=fsync", "status=none")
        return WRITTEN / elapsed

    def ours():
        with scratch() as (place, point):
            mounted(copy_of(SMALL.image("ifs"), place), point, "rw,nosave")
            try:
                return side(point / "new")
            finally:
                host.run(UMOUNT, str(point))

    def peer():
        with scratch() as (place, _):
            return side(place / "new")
    return faster(*medians(ours, peer, runs=min(runs, 5)), lambda value: f"{value / 1e6:.0f} MB/s")


def saving(kind, options="rw", quiet=0):
    """Seconds of umount after a change of 4 KiB in the big image."""
    def measure():
        with scratch() as (place, point):
            mounted(copy_of(BIG.image(kind), place), point, options)
            with open(point / "large", "r+b") as file:
                file.seek(100 * MIB)
                file.write(b"x" * 4096)
            time.sleep(quiet)
            return host.timed(UMOUNT, str(point))
    return measure


@row("save-none", "umount after a change of 4 KiB in 500 MB against cp, sync and cmp", "<=", 1.3)
def save_none(runs):
    def peer():
        with scratch() as (place, _):
            image = copy_of(BIG.image("ifs"), place)
            return host.timed("sh", "-c", 'cp "$0" "$0.new" && sync "$0.new" && cmp "$0" "$0.new"',
                              str(image))
    return longer(*medians(saving("ifs"), peer, runs=min(runs, 5)))


def save_packed(kind, runs):
    image = str(BIG.image(kind))
    return longer(*medians(saving(kind), lambda: host.timed(host.DUMPIFS, "-u", "/dev/null", image),
                           runs=min(runs, 5)))


@row("save-lzo", "LZO: the same against unpacking the image once", "<=", 2)
def save_lzo(runs):
    return save_packed("lzo.ifs", runs)


@row("save-ucl", "UCL: the same", "<=", 2)
def save_ucl(runs):
    return save_packed("ucl.ifs", runs)


@row("save-ahead", "umount of the same, made ahead in quiet times, against its limit", "<=", 1)
def save_ahead(runs):
    ours, = medians(saving("ifs", "rw,repack_delay=0.2", quiet=6), runs=min(runs, 5))
    return Outcome(seconds(ours), seconds(AHEAD), ours / AHEAD)


@row("save-memory", "20,000 files copied in and saved: most memory against its limit", "<=", 1)
def memory(_):
    with scratch() as (place, point):
        image = copy_of(SMALL.image("ifs"), place)
        mounted(image, point)
        server = subprocess.run(["pgrep", "-f", f"{image} {point}"], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.split()[0]
        copy_in(BIG.tree / "files", point / "copy")
        host.run(".build/release/ifsctl", "commit", str(image))
        with open(f"/proc/{server}/status") as status:
            peak = int(re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.M)[1]) << 10
        host.run(UMOUNT, str(point))
    show = "{:.1f} MiB".format
    return Outcome(show(peak / MIB), show(MEMORY / MIB), peak / MEMORY)

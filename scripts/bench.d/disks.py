"""Rows: file systems of disks. The tree is the one of the other rows; its images are made at first use."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import host
from corpora import BIG, SMALL, home
from host import NotMeasured
from mounting import cycle
from reading import bandwidth, cold, find, fresh, operations, thousands, warm
from table import faster, longer, medians, rate, row, sooner

SHARED = Path(os.environ.get("IFSFS_SHARED") or "../shared")
SIZE = 760 << 20
PYTHON = ".build/judges/bin/python"


def tool(name):
    """A writer of QNX file systems that is not ours."""
    path = SHARED / "tools" / name
    if not path.exists():
        raise NotMeasured(f"{path} is missing")
    return str(path)


def make_fat(tree, image):
    for name in ["mkfs.fat", "mcopy"]:
        if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise NotMeasured(f"{name} is missing")
    os.truncate(image, SIZE)
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    quiet = {"env": environment, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["mkfs.fat", "-F", "32", "-s", "8", str(image)], **quiet)
    entries = [str(entry) for entry in sorted(tree.iterdir())]
    subprocess.run(["mcopy", "-s", "-m", "-Q", "-i", str(image), *entries, "::/"], **quiet)


def make_qnx6(tree, image):
    subprocess.run([tool("make-qnx6"), "--size", str(SIZE), "--block-size", "4096", "--inodes", "24000",
                    str(tree), str(image)], check=True, stdout=subprocess.DEVNULL)


def make_qnx4(tree, image):
    subprocess.run([tool("make-qnx4"), "--blocks", str(SIZE >> 9), str(tree), str(image)], check=True,
                   stdout=subprocess.DEVNULL)


MAKERS = {"fat": make_fat, "qnx6": make_qnx6, "qnx4": make_qnx4}


def made(name, make):
    """An image of that name, made unless it is there."""
    image = home / name
    if not image.exists():
        with tempfile.NamedTemporaryFile(dir=home, prefix=name + ".", delete=False) as file:
            unfinished = Path(file.name)
        try:
            make(unfinished)
            unfinished.rename(image)
        finally:
            unfinished.unlink(missing_ok=True)
    return image


def disk(corpus, kind):
    return made(f"{corpus.name}.{kind}.img", lambda image: MAKERS[kind](corpus.tree, image))


def against_squash(kind, state, measure, runs, compare, *style):
    sides = [state(disk(BIG, kind), measure), state(BIG.image("sqfs"), measure)]
    return compare(*medians(*sides, runs=runs, warmups=0), *style)


NAMES = {"fat": "FAT32", "qnx6": "QNX6", "qnx4": "QNX4"}

for kind, name in NAMES.items():
    @row(f"{kind}-find", f"{name}: find with a stat of each, 20,000 files, cold", ">=", 0.8)
    def find_cold(runs, kind=kind):
        return against_squash(kind, cold, find, runs, sooner)

    @row(f"{kind}-find-warm", f"{name}: the same, warm", ">=", 0.8)
    def find_warm(runs, kind=kind):
        return against_squash(kind, warm, find, runs, sooner)

    @row(f"{kind}-seq", f"{name}: sequential read of 500 MB, cold", ">=", 0.8)
    def sequential(runs, kind=kind):
        return against_squash(kind, cold, bandwidth("sequential"), runs, faster, rate)

    @row(f"{kind}-rand", f"{name}: random 4 KiB, 4 jobs, buffered, cold", ">=", 0.8)
    def random(runs, kind=kind):
        return against_squash(kind, cold, operations("random"), runs, faster, thousands)

    @row(f"{kind}-direct", f"{name}: random 4 KiB, 4 jobs, O_DIRECT", ">=", 0.8)
    def direct(runs, kind=kind):
        return against_squash(kind, fresh, operations("direct"), runs, faster, thousands)


# What size costs


def many(image):
    """100,000 files in QNX6, of ten bytes each."""
    with tempfile.TemporaryDirectory(dir=home) as folder:
        for directory in range(100):
            place = Path(folder) / f"d{directory:02}"
            place.mkdir()
            for number in range(1000):
                (place / f"file{number:03}").write_bytes(b"ten bytes\n")
        subprocess.run([tool("make-qnx6"), "--size", str(300 << 20), "--block-size", "1024", "--inodes",
                        "102000", folder, str(image)], check=True, stdout=subprocess.DEVNULL)


def sparse(image):
    """100 GiB, of which an MBR gives all but the first MiB to a QNX6 of 760 MiB at its start."""
    os.truncate(image, 100 << 30)
    subprocess.run(["/usr/sbin/sfdisk", "-q", str(image)], input="start=2048, type=b3\n", text=True,
                   check=True)
    subprocess.run(["dd", f"if={disk(BIG, 'qnx6')}", f"of={image}", "bs=1M", "seek=1", "conv=notrunc,sparse",
                    "status=none"], check=True)


@row("disk-many", "mount, ls, umount; QNX6 with 100,000 files (ours) against 300 (peer)", "<=", 3)
def disk_many(runs):
    return longer(*medians(cycle(made("many.qnx6.img", many)), cycle(disk(SMALL, "qnx6")), runs=3 * runs))


@row("disk-sparse", "the same; a disk of 100 GiB (ours) against 300 files (peer)", "<=", 3)
def disk_sparse(runs):
    return longer(*medians(cycle(made("sparse.img", sparse)), cycle(disk(SMALL, "qnx6")), runs=3 * runs))


def first_list(server, image):
    """From the command to the end of the first ls."""
    def measure():
        with tempfile.TemporaryDirectory(prefix="ifsfs-bench.") as directory:
            outside = os.stat(directory).st_dev
            start = time.perf_counter()
            process = subprocess.Popen([*server, str(image), directory], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                while os.stat(directory).st_dev == outside:
                    if process.poll() not in (None, 0) or time.perf_counter() > start + host.PATIENCE:
                        raise NotMeasured(f"{server[0]} does not mount it")
                    time.sleep(0.0005)
                host.run("ls", directory)
                elapsed = time.perf_counter() - start
            finally:
                host.unmount(directory)
                process.wait()
        return elapsed
    return measure


@row("qnx6-first", "first ls of a QNX6 image against qnxmount", "<=", 1)
def qnx6_first(runs):
    subprocess.run(["scripts/judges"], check=True)
    if not os.path.exists(PYTHON):
        raise NotMeasured("qnxmount could not be installed")
    peer = [PYTHON, "-m", "qnxmount"]
    image = disk(SMALL, "qnx6")
    return longer(*medians(first_list([host.OURS, "-F"], image),
                           first_list([*peer, "qnx6"], image), runs=runs))

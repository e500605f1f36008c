"""Rows: reading from mounts of packed images."""

import json
import mmap
import os
import re
import shutil
import subprocess
import tempfile

import host
from corpora import BIG
from reading import bandwidth, cold, fresh, operations, pair, tar, thousands
from host import NotMeasured
from table import Outcome, faster, medians, rate, row, sooner

BLOCK = 0x10000


def against_one(kind, many, one, runs):
    """Four streams against one, in fresh mounts with the packed image in the page cache."""
    image = BIG.image(kind)
    return faster(*medians(fresh(image, bandwidth(many)), fresh(image, bandwidth(one)), runs=runs,
                           warmups=0), rate)


@row("streams-lzo", "LZO: four streams (ours) against one (peer), O_DIRECT", ">=", 1.7)
def streams_lzo(runs):
    return against_one("lzo.ifs", "together", "alone", runs)


@row("streams-ucl", "UCL: four streams (ours) against one (peer), O_DIRECT", ">=", 1.7)
def streams_ucl(runs):
    return against_one("ucl.ifs", "together", "alone", runs)


@row("ahead-lzo", "LZO: the same, buffered: read-ahead helps the one", ">=", 1.7)
def ahead_lzo(runs):
    return against_one("lzo.ifs", "streams", "sequential", runs)


@row("ahead-ucl", "UCL: the same, buffered", ">=", 1.7)
def ahead_ucl(runs):
    return against_one("ucl.ifs", "streams", "sequential", runs)


LZO = ("lzo.ifs", "lzo.sqfs")


@row("lzo-seq", "LZO: sequential read of 500 MB, cold", ">=", 0.9)
def lzo_sequential(runs):
    return faster(*pair(cold, bandwidth("sequential"), runs, LZO), rate)


@row("lzo-streams", "LZO: four streams, cold", ">=", 0.9)
def lzo_streams(runs):
    return faster(*pair(cold, bandwidth("streams"), runs, LZO), rate)


@row("lzo-rand", "LZO: random 4 KiB, 4 jobs, buffered, cold", ">=", 0.9)
def lzo_random(runs):
    return faster(*pair(cold, operations("random"), runs, LZO), thousands)


@row("lzo-tar", "LZO: tar of 20,000 files, cold", ">=", 0.9)
def lzo_tar(runs):
    return sooner(*pair(cold, tar, runs, LZO))


# What the first read decodes


def layout(image):
    """Where the image has its packed blocks, its directory's end, and the file `large`."""
    found = subprocess.run([host.DUMPIFS, "--json", str(image)], check=True, capture_output=True)
    report = json.loads(found.stdout)["images"][0]
    large = next(entry for entry in report["entries"] if entry["path"] == "large")
    return report["stored_offset"], report["image"]["hdr_dir_size"], large["offset"]


def chain(image, start):
    """The packed blocks: where each lies, and its length."""
    blocks = set()
    with open(image, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as bytes:
        while length := int.from_bytes(bytes[start:start + 2], "big"):
            blocks.add((start + 2, length))
            start += 2 + length
    return blocks


def read_one_page(path, offset):
    """4 KiB past the page cache, so that no read-ahead joins in."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    with mmap.mmap(-1, 4096) as page:
        os.preadv(file, [page], offset)
    os.close(file)


def decoded_blocks(image):
    """How many blocks are read, hence decoded, from the start of a mount to its first 4 KiB; and
    how many of them hold the directory."""
    start, directory_end, large = layout(image)
    # Amid the file, and not across the bounds of a block.
    offset = next(place for place in range(250 << 20, 251 << 20, 4096)
                  if (large + place) % BLOCK <= BLOCK - 4096)
    with tempfile.NamedTemporaryFile("r") as log:
        trace = ["strace", "-f", "-s", "0", "-e", "trace=pread64", "-o", log.name]
        with host.Mount(image, wrapper=trace) as mount:
            read_one_page(mount.path("large"), offset)
        text = log.read()
    blocks = chain(image, start)
    reads = re.findall(r", (\d+), (\d+)\) += \d+", text)
    count = sum((int(place), int(length)) in blocks for length, place in reads)
    return count, -(-directory_end // BLOCK)


def first_read(kind):
    host.require_fuse()
    if not shutil.which("strace"):
        raise NotMeasured("strace is missing")
    count, directory = decoded_blocks(BIG.image(kind))
    if count < directory:
        raise NotMeasured("blocks are not read one by one; strace cannot tell them")
    return Outcome(f"{count} blocks", f"{directory} + 2", count, digits=0), directory + 2


@row("first-lzo", "LZO: blocks decoded from mount to the first 4 KiB", "<=")
def first_lzo(_):
    return first_read("lzo.ifs")


@row("first-ucl", "UCL: blocks decoded from mount to the first 4 KiB", "<=")
def first_ucl(_):
    return first_read("ucl.ifs")

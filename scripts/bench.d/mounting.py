"""Rows: what mounting, listing and unmounting takes."""

import tempfile
import time

import host
from corpora import BIG, SMALL
from table import longer, medians, row


def cycle(image):
    """A measurement of mount, ls and umount as whole commands; the mount is in the background."""
    host.require_fuse()

    def measure():
        with tempfile.TemporaryDirectory(prefix="ifsfs-bench.") as directory:
            start = time.perf_counter()
            host.run(host.server(image), str(image), directory)
            try:
                host.run("ls", directory)
            finally:
                host.unmount(directory)
            elapsed = time.perf_counter() - start
            # The server's own end belongs to no other run.
            time.sleep(0.03)
        return elapsed
    return measure


@row("mount-small", "mount, ls, umount; 300 files", "<=", 3)
def small(runs):
    return longer(*medians(cycle(SMALL.image("ifs")), cycle(SMALL.image("sqfs")), runs=3 * runs))


@row("mount-big", "mount, ls, umount; 20,000 files", "<=", 3)
def big(runs):
    return longer(*medians(cycle(BIG.image("ifs")), cycle(BIG.image("sqfs")), runs=3 * runs))


@row("mount-growth", "the big image (ours) against the small one (peer)", "<=", 1.5)
def growth(runs):
    return longer(*medians(cycle(BIG.image("ifs")), cycle(SMALL.image("ifs")), runs=3 * runs))

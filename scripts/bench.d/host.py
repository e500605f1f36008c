"""This machine: mounts, caches, processes."""

import os
import platform
import re
import subprocess
import tempfile
import threading
import time

OURS = ".build/release/mount.ifs"
PEER = "squashfuse_ll"
DUMPIFS = ".build/release/dumpifs"
FIO_JOBS = "scripts/bench.d/reads.fio"
PATIENCE = 120


class NotMeasured(Exception):
    """Why a row cannot be measured here."""


def description():
    model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    return (f"{os.cpu_count()} processors, {model[1] if model else platform.machine()}, "
            f"Linux {platform.release()}")


def run(*command, **settings):
    """Runs a command. Python's own `timeout` looks for its end only every few milliseconds."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               **settings)
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    try:
        if process.wait() != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
    finally:
        patience.cancel()


def timed(*command, **settings):
    start = time.perf_counter()
    run(*command, **settings)
    return time.perf_counter() - start


def drop_caches():
    """Empties the page, dentry and inode caches."""
    try:
        with open("/proc/sys/vm/drop_caches", "w") as switch:
            switch.write("3")
    except OSError as error:
        raise NotMeasured(f"caches cannot be dropped: {error.strerror}") from None


def warm(path):
    """Puts a file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


class Quiet:
    """Waits until others leave the processors alone, but not for ever."""

    PIECE = 0.1
    # Seconds to wait before one run, and before all runs together.
    each, left = 8.0, 400.0
    disturbed = 0

    @classmethod
    def wait(cls):
        end = time.monotonic() + min(cls.each, cls.left)
        while not cls.is_idle():
            cls.left -= cls.PIECE
            if time.monotonic() > end:
                cls.disturbed += 1
                return

    @classmethod
    def is_idle(cls):
        """Whether the processors did next to nothing for a moment."""
        before = cls.ticks()
        time.sleep(cls.PIECE)
        busy, whole = (now - then for now, then in zip(cls.ticks(), before))
        return busy <= 0.15 * max(1, whole)

    @staticmethod
    def ticks():
        with open("/proc/stat") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def require_fuse():
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise NotMeasured("/dev/fuse cannot be opened")


def server(image):
    """The program that mounts an image."""
    return PEER if image.name.endswith(".sqfs") else OURS


def unmount(directory):
    run(*(["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]), directory)


class Mount:
    """An image mounted in a directory of its own, by a process in the foreground."""

    def __init__(self, image, wrapper=(), options=()):
        require_fuse()
        self.directory = tempfile.mkdtemp(prefix="ifsfs-bench.")
        flag = "-F" if server(image) == OURS else "-f"
        self.process = subprocess.Popen(
            [*wrapper, server(image), flag, *options, str(image), self.directory],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def __enter__(self):
        try:
            self.wait()
        except BaseException:
            self.end()
            raise
        return self

    def wait(self):
        outside = os.stat(os.path.dirname(self.directory)).st_dev
        deadline = time.monotonic() + PATIENCE
        while os.stat(self.directory).st_dev == outside:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.process.args}: did not mount")
            time.sleep(0.001)

    def __exit__(self, *_):
        unmount(self.directory)
        self.end()

    def end(self):
        """The process ends by itself once it is unmounted."""
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.rmdir(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

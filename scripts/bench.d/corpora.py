"""The trees that are measured, and their images: made once, from a seed, and kept."""

import os
import random
import shutil
import subprocess
from pathlib import Path

# Raised whenever what is made changes, so that older corpora are made anew.
VERSION = "3"
TIME = 1_700_000_000
SEGMENT = 8 << 20
LARGE = 500 << 20

home = Path(os.environ.get("IFSFS_BENCH") or
            Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ifsfs-bench")
# The tree is all that the buildfile, which is empty, has behind it.
PACK = [".build/release/mkifs", "--fast", "-l", "[uid=0 gid=0]"]
IMAGE = ["/dev/null", "TREE", "IMAGE"]
SQUASH = ["mksquashfs", "TREE", "IMAGE", "-quiet", "-no-progress", "-noappend"]
# Each kind of image, and the command that makes it.
KINDS = {
    "ifs": PACK + IMAGE,
    "lzo.ifs": PACK + ["-l", "[compress=2]"] + IMAGE,
    "ucl.ifs": PACK + ["-l", "[compress=3]"] + IMAGE,
    "sqfs": SQUASH + ["-noI", "-noD", "-noF", "-noX"],
    "lzo.sqfs": SQUASH + ["-comp", "lzo", "-Xalgorithm", "lzo1x_1"],
}


class Corpus:
    """A tree with `files/DIRECTORY/FILE`, many and small, and the one file `large`."""

    def __init__(self, name, directories, files, large):
        self.name, self.large = name, large
        self.directories, self.files = directories, files
        self.tree = home / name

    @property
    def entry_count(self):
        return self.files + self.directories + 3

    def image(self, kind):
        return home / f"{self.name}.{kind}"

    def fill(self, source):
        per_directory = self.files // self.directories
        # One for all: mkifs sorts files by size, and what lies side by side has to pack as well.
        alphabet = source.alphabet()
        for directory in range(self.directories):
            place = self.tree / "files" / f"d{directory:03}"
            place.mkdir(parents=True)
            for number in range(per_directory):
                (place / f"file{number:03}").write_bytes(source.small(alphabet))
        with open(self.tree / "large", "wb") as large:
            for start in range(0, self.large, SEGMENT):
                large.write(source.segment()[:self.large - start])
        for folder, _, names in os.walk(self.tree, topdown=False):
            for name in names + ["."]:
                path = os.path.join(folder, name)
                os.chmod(path, 0o755 if name == "." else 0o644)
                os.utime(path, (TIME, TIME))


SMALL = Corpus("small", 10, 300, 2 << 20)
BIG = Corpus("big", 200, 20_000, LARGE)


class Source:
    """Bytes that pack about 2:1, the same for the same seed, and no two segments alike."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.template = self.make_template()

    def make_template(self):
        """Words that come again and again among bytes that do not: short runs of both."""
        noise = self.random.randbytes(SEGMENT)
        lengths = self.random.randbytes(SEGMENT // 8)
        words = [self.random.randbytes(8 + self.random.getrandbits(5)) for _ in range(96)]
        choices = memoryview(self.random.randbytes(SEGMENT // 4)).cast("H")
        pieces, total, place = [], 0, 0
        for step, choice in enumerate(choices):
            count = lengths[step] % 18
            piece = noise[place:place + count] + words[choice % 96]
            pieces.append(piece)
            place, total = place + count, total + len(piece)
            if total >= SEGMENT:
                break
        return b"".join(pieces)[:SEGMENT]

    def segment(self):
        """The template under another alphabet: it packs as well, but is not the same."""
        return self.template.translate(self.alphabet())

    def small(self, alphabet):
        """A small file: 0.5 to 8 KiB. Those of one alphabet have words in common."""
        size = 512 + self.random.getrandbits(13) * 15 // 16
        start = self.random.getrandbits(22)
        return self.template[start:start + size].translate(alphabet)

    def alphabet(self):
        letters = list(range(256))
        self.random.shuffle(letters)
        return bytes(letters)


def prepare(corpora, say):
    """Makes what is missing of the corpora. Only a complete set has the stamp."""
    stamp = home / "complete"
    if stamp.exists() and stamp.read_text() == VERSION:
        return
    need = 6 << 30
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < need:
        raise SystemExit(f"bench: {home}: less than {need >> 30} GiB free; IFSFS_BENCH=DIRECTORY"
                         " puts the corpora elsewhere")
    stamp.unlink(missing_ok=True)
    for corpus in corpora:
        say(f"making {corpus.tree} and its images")
        shutil.rmtree(corpus.tree, ignore_errors=True)
        corpus.tree.mkdir()
        corpus.fill(Source(corpus.name))
        for kind, command in KINDS.items():
            make_image(corpus, kind, command)
    stamp.write_text(VERSION)


def make_image(corpus, kind, command):
    image, new = corpus.image(kind), corpus.image(kind + ".new")
    new.unlink(missing_ok=True)
    words = {"TREE": str(corpus.tree), "IMAGE": str(new)}
    subprocess.run([words.get(word, word) for word in command], check=True,
                   stdout=subprocess.DEVNULL)
    new.rename(image)
    if kind.endswith("ifs"):
        subprocess.run([".build/release/dumpifs", "--verify", str(image)], check=True,
                       stdout=subprocess.DEVNULL)

"""A disk that takes its time to flush: what a durable write costs where the disk of this machine answers at once.

What belongs here: a stand-in for such a disk. Whatever waits for the disk is done as ever, and takes so many
milliseconds longer: ``fsync``, ``fdatasync``, and a write to a file that was opened to be synchronous, as LMDB writes
its meta pages (open(2), O_DSYNC). Several at the same time wait at the same time. The functions of the C library are
wrapped by a library that is loaded before it (``LD_PRELOAD``, see ld.so(8)), so contestants need not know of it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["slow_disk"]

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

static void flush(void) {
    const char *told = getenv("FLUSH_MICROSECONDS");
    long microseconds = told ? atol(told) : 0;
    struct timespec wait = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&wait, NULL);
}
static int sync_with(const char *name, int descriptor) {
    flush();
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(descriptor);
}
static ssize_t write_with(const char *name, int descriptor, const void *bytes, size_t count, off_t at) {
    if (fcntl(descriptor, F_GETFL) & O_DSYNC) flush();
    return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, name))(descriptor, bytes, count, at);
}
int fsync(int descriptor) { return sync_with("fsync", descriptor); }
int fdatasync(int descriptor) { return sync_with("fdatasync", descriptor); }
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at) {
    return write_with("pwrite", descriptor, bytes, count, at);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t at) {
    return write_with("pwrite64", descriptor, bytes, count, at);
}
"""


def slow_disk(folder: Path, milliseconds: float) -> dict[str, str] | None:
    """Return the environment of a process whose disk takes so much longer to flush; None where it cannot be had.

    Parameters
    ----------
    folder
        Where the library is made.
    milliseconds
        Of each flush, besides what it takes anyway.
    """
    compiler, library = shutil.which("cc"), folder / "slow_disk.so"
    if compiler is None:
        return None
    command = [compiler, "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", str(library), "-ldl"]
    if subprocess.run(command, input=_SOURCE, text=True, capture_output=True, check=False).returncode:
        return None
    return {"LD_PRELOAD": str(library), "FLUSH_MICROSECONDS": str(round(milliseconds * 1000))}

#pragma once
// What the C library declares only for _GNU_SOURCE, which Swift's module of it does not set, and what
// it has no function for.
#include <linux/falloc.h>
#include <sys/syscall.h>
#include <sys/types.h>

int fallocate(int descriptor, int mode, off_t offset, off_t count);
int renameat2(int from, const char *old, int to, const char *new_name, unsigned flags);
long syscall(long number, ...);

ssize_t getxattr(const char *path, const char *name, void *value, size_t size);
ssize_t listxattr(const char *path, char *list, size_t size);
int fsetxattr(int descriptor, const char *name, const void *value, size_t size, int flags);

/// Opens a file that has no name in a directory (`O_TMPFILE`); `flags` are to have `O_DIRECTORY`. -1
/// where the file system has no such files.
static inline int clinux_open_nameless(const char *directory, int flags, int mode) {
    return (int)syscall(SYS_openat, -100, directory, 020000000 | flags, mode);
}

/// Has the bytes of a file in this range written to the disk, without waiting for that.
static inline void clinux_start_writing(int descriptor, off_t offset, off_t count) {
    syscall(SYS_sync_file_range, descriptor, offset, count, 2);
}

/// pidfd_open(2): a descriptor of a process, which can be read from once that has ended.
static inline int clinux_pidfd_open(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

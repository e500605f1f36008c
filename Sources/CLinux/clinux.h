#pragma once
// What the C library declares only for _GNU_SOURCE, which Swift's module of it does not set, and what
// it has no function for.
#include <linux/falloc.h>
#include <sys/syscall.h>
#include <sys/types.h>

int fallocate(int descriptor, int mode, off_t offset, off_t count);
int renameat2(int from, const char *old, int to, const char *new_name, unsigned flags);
long syscall(long number, ...);

/// pidfd_open(2): a descriptor of a process, which can be read from once that has ended.
static inline int clinux_pidfd_open(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

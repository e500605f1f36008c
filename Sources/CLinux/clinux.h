#pragma once
// What the C library declares only for _GNU_SOURCE, which Swift's module of it does not set.
#include <linux/falloc.h>
#include <sys/types.h>

int fallocate(int descriptor, int mode, off_t offset, off_t count);

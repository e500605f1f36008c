#pragma once
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <malloc.h>
#include <unistd.h>

/* A macro of libfuse, which Swift does not import. */
static inline int cfuse_loop(struct fuse_session *se, struct fuse_loop_config *config) {
    return fuse_session_loop_mt(se, config);
}

/* Swift hides fork(), which is safe here: before the first thread. */
static inline pid_t cfuse_fork(void) { return fork(); }

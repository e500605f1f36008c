#pragma once
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

/* A macro of libfuse, which Swift does not import. */
static inline int cfuse_loop(struct fuse_session *se, struct fuse_loop_config *config) {
    return fuse_session_loop_mt(se, config);
}

/* Swift hides fork(), which is safe here: before the first thread. */
static inline pid_t cfuse_fork(void) { return fork(); }

/* Swift does not compare handlers. One that has `old` gets `new`, which interrupts what waits. */
static inline void cfuse_exchange_handler(int number, void (*old)(int), void (*new)(int)) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler != old) return;
    action.sa_handler = new;
    action.sa_flags = 0;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

#pragma once
#include <ucl/ucl.h>

/* ucl_init() is a macro, which Swift does not import. */
static inline int cucl_init(void) { return ucl_init(); }

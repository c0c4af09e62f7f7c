/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers in the manner of systemd: clean-up attributes and handing over of ownership. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _warn_unused_ __attribute__((warn_unused_result))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL
#define USEC_INFINITY UINT64_MAX

/** \brief Takes the value out of \p variable and leaves \p empty there. */
#define TAKE(variable, empty)                              \
	({                                                 \
		__typeof__(variable) *take_ = &(variable); \
		__typeof__(variable) taken_ = *take_;      \
		*take_ = (empty);                          \
		taken_;                                    \
	})
#define take_ptr(pointer) TAKE(pointer, NULL)
#define take_fd(fd) TAKE(fd, -EBADF)

/** \brief Zeroed memory for what is made and freed with each run: calloc() makes no use of what malloc() keeps at hand
 * for a thread. */
static inline void *zalloc(size_t size)
{
	void *memory = malloc(size);

	__asm__("" : "+r"(memory)); /* else the compiler makes it one */
	return memory ? memset(memory, 0, size) : NULL;
}

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

/** \brief Defines `FUNCTIONp`, the clean-up handler that calls `FUNCTION` on a pointer that is not NULL. */
#define DEFINE_CLEANUP(type, function)          \
	static inline void function##p(type *p) \
	{                                       \
		if (*p)                         \
			function(*p);           \
	}

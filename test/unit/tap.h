/*
 * TAP for unit tests, which are programs: include this once, call ok() and its
 * kin, end with `return done();`.
 */
#ifndef TEST_UNIT_TAP_H
#define TEST_UNIT_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_n, tap_failed;

__attribute__((unused, format(printf, 4, 5))) static bool
tap_ok(bool passed, const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_n);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!passed)
	{
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return passed;
}

/* ok(condition, "what holds %d", ...) */
#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, __VA_ARGS__)

#define is_int(got, want, ...) \
	do \
	{ \
		long long got_ = (long long) (got), want_ = (long long) (want); \
		if (!ok(got_ == want_, __VA_ARGS__)) \
			printf("# got %lld, want %lld\n", got_, want_); \
	} while (0)

#define is_text(got, want, ...) \
	do \
	{ \
		const char *got_ = (got), *want_ = (want); \
		if (!ok(got_ != NULL && strcmp(got_, want_) == 0, __VA_ARGS__)) \
			printf("# got \"%s\"\n# want \"%s\"\n", got_ ? got_ : "(null)", want_); \
	} while (0)

#define is_near(got, want, tolerance, ...) \
	do \
	{ \
		double got_ = (got), want_ = (want); \
		if (!ok(fabs(got_ - want_) <= (tolerance), __VA_ARGS__)) \
			printf("# got %.9g, want %.9g within %g\n", got_, want_, (double) (tolerance)); \
	} while (0)

/* The plan comes last, so that a test that dies early is seen to have died. */
__attribute__((unused)) static int
done(void)
{
	printf("1..%d\n", tap_n);
	return tap_failed == 0 ? 0 : 1;
}

#endif

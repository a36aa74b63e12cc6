/*
 * From here to core/target_end.h functions are compiled for the instructions
 * that TARGET names, so that a file of kernels needs no compiler flag of its
 * own. Headers with code for every CPU are included before it. TARGET differs
 * between compilers on AArch64 alone; the files there say how.
 */
#define TARGET_PRAGMA(words) TARGET_PRAGMA_(words)
#define TARGET_PRAGMA_(words) _Pragma(#words)

#if defined(__clang__)
TARGET_PRAGMA(clang attribute push(__attribute__((target(TARGET))), apply_to = function))
#else
TARGET_PRAGMA(GCC push_options)
TARGET_PRAGMA(GCC target(TARGET))
#endif

/* The end of what core/target_begin.h began. */
#if defined(__clang__)
TARGET_PRAGMA(clang attribute pop)
#else
TARGET_PRAGMA(GCC pop_options)
#endif
#undef TARGET
#undef TARGET_PRAGMA
#undef TARGET_PRAGMA_

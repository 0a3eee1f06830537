// What differs between the versions of Highway (1.0.3 to current). The only file that may know; included before any header of Highway.
#pragma once

// Highway replaces its 128-bit fallback, which any processor can run, by one with single lanes under compilers that miscompile a
// multiplication (GCC before 12.3, bug 106322). Single lanes cannot run this code. What it multiplies (affine_search-inl.h) comes out
// right: the tests run the fallback, with such a compiler too.
#ifndef HWY_BROKEN_EMU128
#define HWY_BROKEN_EMU128 0
#endif

// Vectors of SVE have no size, so they cannot be members or elements. The processors that have it have NEON too, and nothing here is
// longer than two of its vectors.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif

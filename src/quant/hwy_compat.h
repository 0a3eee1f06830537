// What differs between the versions of Highway (1.0.3 to current). The only file that may know; included before any header of Highway.
#pragma once

// Highway replaces its 128-bit fallback, which any processor can run, by one with single lanes under compilers that miscompile a
// multiplication (GCC before 12.3, bug 106322). Nothing here multiplies integers, and single lanes cannot run this code; the tests run
// the fallback.
#ifndef HWY_BROKEN_EMU128
#define HWY_BROKEN_EMU128 0
#endif

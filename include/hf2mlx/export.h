/* HF2MLX_API marks what a caller may use: a shared libhf2mlx shows nothing else. C and C++. */
#pragma once

#if defined(__GNUC__)
#define HF2MLX_API __attribute__((visibility("default")))
#else
#define HF2MLX_API
#endif

// What the module CHf2mlx shows: the header that pkg-config finds.
#include <hf2mlx/hf2mlx.h>

#define NAS_KERNELS kernels_portable
#define NAS_KERNELS_NAME "portable"
#define NAS_WIDTH 4
#include "kernels.inc"

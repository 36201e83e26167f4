#define NAS_KERNELS kernels_portable
#define NAS_KERNELS_NAME "portable"
#include "kernels.inc"

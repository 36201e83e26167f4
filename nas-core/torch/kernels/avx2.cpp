#define NAS_KERNELS kernels_avx2
#define NAS_KERNELS_NAME "avx2"
#define NAS_WIDTH 8
#include "kernels.inc"

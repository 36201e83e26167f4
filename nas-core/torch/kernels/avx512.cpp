#define NAS_KERNELS kernels_avx512
#define NAS_KERNELS_NAME "avx512"
#define NAS_WIDTH 16
#include "kernels.inc"

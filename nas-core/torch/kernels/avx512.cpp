#define NAS_KERNELS kernels_avx512
#define NAS_KERNELS_NAME "avx512"
#include "kernels.inc"

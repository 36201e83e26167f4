// The functions that `src/kernels.rs` declares. A tensor that is returned belongs to the caller.
#pragma once
#include <cstdint>

namespace at {
class Tensor;
}

extern "C" {
// Why the last function of this thread returned null.
const char* nas_error();
// The kernels in use: `portable`, `avx2`, `avx512`, or `none`.
const char* nas_kernels();
// Uses these kernels in the whole process from now on, or `best`; false if they can't be run here.
bool nas_use_kernels(const char* name);

// Σ_k w_k · (γ_k · x̂_k + β_k) over the first `n_normalized` terms + Σ_p w_p · x_p over the others,
// then ReLU. `scales`, `shifts` and `running` (mean, variance of each) may be null.
at::Tensor* nas_normalized_sum(at::Tensor* const* terms, int64_t n_terms, int64_t n_normalized,
                               at::Tensor* const* scales, at::Tensor* const* shifts,
                               at::Tensor* const* running, const at::Tensor* weights, double eps,
                               double momentum, bool relu, bool training);
// weight: [channels, 1, kernel, kernel]
at::Tensor* nas_depthwise(const at::Tensor* x, const at::Tensor* weight, int64_t stride,
                          int64_t padding, int64_t dilation);
// Stride 1, padding 1; weight: [out, in, 3, 3].
at::Tensor* nas_convolution_3x3(const at::Tensor* x, const at::Tensor* weight);
// 3×3 windows, padding 1.
at::Tensor* nas_max_pool(const at::Tensor* x, int64_t stride);
at::Tensor* nas_average_pool(const at::Tensor* x, int64_t stride);
// 2×2 windows, side by side.
at::Tensor* nas_average_pool_2x2(const at::Tensor* x);
}

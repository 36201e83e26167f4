// Layers as differentiable functions of libtorch, around the kernels.
//
// Each takes any tensor: where the kernels do not fit (another type, device or memory layout, or
// evaluation) the same mathematics is composed from libtorch's own functions.
#pragma once
#include <ATen/ATen.h>

#include <vector>

namespace nas {

struct SumOptions {
  int64_t n_normalized;
  bool relu, training;
  double eps, momentum;
  // Mean and variance of each normalised term in turn; empty where none are kept.
  std::vector<at::Tensor> running;
};

// Σ_k w_k (γ_k x̂_k + β_k) + Σ_p w_p x_p, then ReLU if asked; `terms` is not empty.
at::Tensor normalized_sum(at::TensorList terms, at::TensorList scales, at::TensorList shifts,
                          const at::Tensor& weights, const SumOptions& options);

// weight: [channels, 1, kernel, kernel]
at::Tensor depthwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride,
                     int64_t padding, int64_t dilation);

// Stride 1, padding 1; weight: [out, in, 3, 3].
at::Tensor convolution_3x3(const at::Tensor& x, const at::Tensor& weight);

// 3×3 windows, padding 1; the average does not count the padding.
at::Tensor max_pool(const at::Tensor& x, int64_t stride);
at::Tensor average_pool(const at::Tensor& x, int64_t stride);
// 2×2 windows, side by side.
at::Tensor average_pool_2x2(const at::Tensor& x);

}  // namespace nas

// Tensors as the kernels see them, and work in equal shares for libtorch's threads.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <atomic>
#include <vector>

#include "kernels.h"

namespace nas {

using at::Tensor;
using at::TensorList;

// The kernels in use.
extern const Kernels* kernels;
// Whether everything is composed from libtorch's functions instead. Not a null pointer above: what
// another thread has begun with kernels goes on with kernels.
extern std::atomic<bool> composes;

inline constexpr auto CHANNELS_LAST = at::MemoryFormat::ChannelsLast;

inline bool is_plain(const Tensor& x) {
  return !composes && x.device().is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0;
}

// Feature maps, or a table of features.
inline bool has_rows(const Tensor& x) { return is_plain(x) && (x.dim() == 4 || x.dim() == 2); }

inline bool is_map(const Tensor& x) { return is_plain(x) && x.dim() == 4; }

inline Tensor laid_out(const Tensor& x) {
  return x.dim() == 4 ? x.contiguous(CHANNELS_LAST) : x.contiguous();
}

inline Tensor blank_like(const Tensor& x) {
  return x.dim() == 4 ? at::empty(x.sizes(), x.options().memory_format(CHANNELS_LAST))
                      : at::empty(x.sizes(), x.options());
}

inline int64_t rows_of(const Tensor& x) { return x.numel() / x.size(1); }

// Calls f(thread, begin, end) with an equal share of 0..n for every thread.
template <class F>
inline void in_shares(int64_t n, F f) {
  const int64_t threads = at::get_num_threads();
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++) f(t, n * t / threads, n * (t + 1) / threads);
  });
}

// Sums that every thread makes of its own, added up at the end.
template <class F>
inline std::vector<double> summed(int64_t n_sums, int64_t n, F f) {
  const int64_t threads = at::get_num_threads();
  // A cache line between the threads.
  const int64_t stride = n_sums + 8;
  std::vector<double> parts(threads * stride, 0.0);
  in_shares(n, [&](int64_t t, int64_t begin, int64_t end) {
    f(begin, end, parts.data() + t * stride);
  });
  for (int64_t t = 1; t < threads; t++)
    for (int64_t i = 0; i < n_sums; i++) parts[i] += parts[t * stride + i];
  parts.resize(n_sums);
  return parts;
}

inline const float* numbers(const Tensor& x) { return x.const_data_ptr<float>(); }

// A map with the batch, type and layout of `like`.
inline Tensor empty_map(const Tensor& like, int64_t channels, int64_t height, int64_t width,
                        at::ScalarType type = at::kFloat) {
  return at::empty({like.size(0), channels, height, width},
                   like.options().dtype(type).memory_format(CHANNELS_LAST));
}

}  // namespace nas

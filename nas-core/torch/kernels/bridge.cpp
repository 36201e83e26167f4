// What the Rust side calls, and which kernels run.
//
// Errors never cross as exceptions: a function returns null, and `nas_error` tells why.
#include "bridge.h"

#include <ATen/ATen.h>

#include <atomic>
#include <string>
#include <vector>

#include "kernels.h"
#include "layers.h"
#include "tensors.h"

using at::Tensor;

namespace nas {
namespace {

const Kernels* best_kernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return &kernels_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kernels_avx2;
#endif
  return &kernels_portable;
}

}  // namespace

const Kernels* kernels = best_kernels();
std::atomic<bool> composes{false};

namespace {

thread_local std::string error;

template <class F>
Tensor* guarded(F f) {
  try {
    return new Tensor(f());
  } catch (const c10::Error& e) {
    error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    error = e.what();
  } catch (...) {
    error = "unknown C++ exception";
  }
  return nullptr;
}

std::vector<Tensor> list_of(Tensor* const* tensors, int64_t n) {
  std::vector<Tensor> list;
  for (int64_t i = 0; tensors && i < n; i++) list.push_back(*tensors[i]);
  return list;
}

}  // namespace
}  // namespace nas

extern "C" {

const char* nas_error() { return nas::error.c_str(); }

const char* nas_kernels() { return nas::composes ? "none" : nas::kernels->name; }

bool nas_use_kernels(const char* name) {
  const std::string wanted = name;
  const nas::Kernels* best = nas::best_kernels();
  if (wanted == "none") return nas::composes = true;
  nas::composes = false;
  if (wanted == "best") return nas::kernels = best, true;
  if (wanted == nas::kernels_portable.name) return nas::kernels = &nas::kernels_portable, true;
#if defined(__x86_64__)
  if (wanted == best->name) return nas::kernels = best, true;
  // Whoever has AVX-512 has AVX2.
  if (wanted == nas::kernels_avx2.name && best == &nas::kernels_avx512)
    return nas::kernels = &nas::kernels_avx2, true;
#endif
  return false;
}

Tensor* nas_normalized_sum(Tensor* const* terms, int64_t n_terms, int64_t n_normalized,
                           Tensor* const* scales, Tensor* const* shifts, Tensor* const* running,
                           const Tensor* weights, double eps, double momentum, bool relu,
                           bool training) {
  return nas::guarded([&] {
    using namespace nas;
    const auto xs = list_of(terms, n_terms);
    const auto gammas = list_of(scales, n_normalized), betas = list_of(shifts, n_normalized);
    return normalized_sum(xs, gammas, betas, *weights,
                          {n_normalized, relu, training, eps, momentum,
                           list_of(running, 2 * n_normalized)});
  });
}

Tensor* nas_depthwise(const Tensor* x, const Tensor* weight, int64_t stride, int64_t padding,
                      int64_t dilation) {
  return nas::guarded([&] { return nas::depthwise(*x, *weight, stride, padding, dilation); });
}

Tensor* nas_convolution_3x3(const Tensor* x, const Tensor* weight) {
  return nas::guarded([&] { return nas::convolution_3x3(*x, *weight); });
}

Tensor* nas_max_pool(const Tensor* x, int64_t stride) {
  return nas::guarded([&] { return nas::max_pool(*x, stride); });
}

Tensor* nas_average_pool(const Tensor* x, int64_t stride) {
  return nas::guarded([&] { return nas::average_pool(*x, stride); });
}

Tensor* nas_average_pool_2x2(const Tensor* x) {
  return nas::guarded([&] { return nas::average_pool_2x2(*x); });
}
}

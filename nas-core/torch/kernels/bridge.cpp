// What the Rust side calls: layers as libtorch autograd functions around the kernels.
//
// Each function works on any tensor: where the kernels do not fit (another type, device or memory
// layout, or evaluation) the same mathematics is composed from libtorch's own functions. Errors
// never cross as exceptions: a function returns null, and `nas_error` tells why.
#include "bridge.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>
#include <string>
#include <vector>

#include "kernels.h"

using at::Tensor;
using at::TensorList;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

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

const Kernels* kernels = best_kernels();
// Whether everything is composed from libtorch's functions instead. Not a null pointer above: what
// another thread has begun with kernels goes on with kernels.
std::atomic<bool> composes{false};

constexpr auto CHANNELS_LAST = at::MemoryFormat::ChannelsLast;

bool is_plain(const Tensor& x) {
  return !composes && x.device().is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0;
}

// Feature maps, or a table of features.
bool has_rows(const Tensor& x) { return is_plain(x) && (x.dim() == 4 || x.dim() == 2); }

bool is_map(const Tensor& x) { return is_plain(x) && x.dim() == 4; }

Tensor laid_out(const Tensor& x) {
  return x.dim() == 4 ? x.contiguous(CHANNELS_LAST) : x.contiguous();
}

Tensor blank_like(const Tensor& x) {
  return x.dim() == 4 ? at::empty(x.sizes(), x.options().memory_format(CHANNELS_LAST))
                      : at::empty(x.sizes(), x.options());
}

int64_t rows_of(const Tensor& x) { return x.numel() / x.size(1); }

// Calls f(thread, begin, end) with an equal share of 0..n for every thread.
template <class F>
void in_shares(int64_t n, F f) {
  const int64_t threads = at::get_num_threads();
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++) f(t, n * t / threads, n * (t + 1) / threads);
  });
}

// Sums that every thread makes of its own, added up at the end.
template <class F>
std::vector<double> summed(int64_t n_sums, int64_t n, F f) {
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

const float* numbers(const Tensor& x) { return x.const_data_ptr<float>(); }

// ------------------------------------------------------------------------------- normalised sums

struct SumOptions {
  int64_t n_normalized;
  bool relu, training;
  double eps, momentum;
  // Mean and variance of each normalised term in turn; empty where none are kept.
  std::vector<Tensor> running;
};

// out = Σ_k w_k (γ_k x̂_k + β_k) + Σ_p w_p x_p, then ReLU if asked: the first `n_normalized` terms
// are batch-normalised. All in one pass over the terms, forward and backward.
struct NormalizedSum : Function<NormalizedSum> {
  static Tensor forward(AutogradContext* context, TensorList terms, TensorList scales,
                        TensorList shifts, const Tensor& weights, SumOptions options) {
    const int64_t n_terms = terms.size(), n_norms = options.n_normalized;
    const int64_t channels = terms[0].size(1), rows = rows_of(terms[0]);
    const bool affine = !scales.empty();
    std::vector<Tensor> xs;
    std::vector<const float*> x;
    for (const Tensor& term : terms) {
      xs.push_back(laid_out(term));
      x.push_back(numbers(xs.back()));
    }
    const Tensor weight = weights.to(at::kDouble).contiguous();
    const double* w = weight.const_data_ptr<double>();
    Tensor moments = at::empty({2, n_norms, channels}, at::kDouble);
    double* mean = moments.mutable_data_ptr<double>();
    double* inverse = mean + n_norms * channels;
    std::vector<float> scale(n_terms * channels), bias(channels);
    std::vector<double> exact_bias(channels, 0.0);
    for (int64_t k = 0; k < n_norms; k++) {
      const auto sums = summed(2 * channels, rows, [&](int64_t begin, int64_t end, double* out) {
        kernels->moments(x[k], channels, begin, end, out);
      });
      const bool keeps = !options.running.empty();
      float* running_mean = keeps ? options.running[2 * k].mutable_data_ptr<float>() : nullptr;
      float* running_var = keeps ? options.running[2 * k + 1].mutable_data_ptr<float>() : nullptr;
      const float* gamma = affine ? numbers(scales[k]) : nullptr;
      const float* beta = affine ? numbers(shifts[k]) : nullptr;
      for (int64_t c = 0; c < channels; c++) {
        const double m = sums[c] / rows;
        const double variance = std::max(sums[channels + c] / rows - m * m, 0.0);
        const double inv = 1.0 / std::sqrt(variance + options.eps);
        const int64_t at = k * channels + c;
        mean[at] = m;
        // NaN must not be lost in `max` above.
        inverse[at] = std::isnan(sums[channels + c]) ? sums[channels + c] : inv;
        if (keeps) {
          const double unbiased = rows > 1 ? variance * rows / (rows - 1) : variance;
          running_mean[c] += float(options.momentum * (m - running_mean[c]));
          running_var[c] += float(options.momentum * (unbiased - running_var[c]));
        }
        const double s = w[k] * (affine ? gamma[c] : 1.0) * inverse[at];
        scale[at] = float(s);
        exact_bias[c] += (affine ? w[k] * beta[c] : 0.0) - s * m;
      }
    }
    for (int64_t p = n_norms; p < n_terms; p++)
      std::fill_n(scale.begin() + p * channels, channels, float(w[p]));
    for (int64_t c = 0; c < channels; c++) bias[c] = float(exact_bias[c]);
    Tensor out = blank_like(xs[0]);
    float* o = out.mutable_data_ptr<float>();
    in_shares(rows, [&](int64_t, int64_t begin, int64_t end) {
      kernels->scaled_sum(x.data(), n_terms, scale.data(), bias.data(), options.relu, channels,
                          begin, end, o);
    });
    // Plain terms are needed again for the gradients of their weights only.
    const bool weighs = weights.requires_grad();
    variable_list saved(xs.begin(), weighs ? xs.end() : xs.begin() + n_norms);
    saved.insert(saved.end(), {weight, moments, options.relu ? out : Tensor()});
    for (const Tensor& tensor : scales) saved.push_back(tensor);
    for (const Tensor& tensor : shifts) saved.push_back(tensor);
    context->save_for_backward(saved);
    context->saved_data["n_terms"] = n_terms;
    context->saved_data["n_norms"] = n_norms;
    context->saved_data["affine"] = affine;
    context->saved_data["kept"] = weighs ? n_terms : n_norms;
    context->saved_data["single"] = weights.scalar_type() == at::kFloat;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const int64_t n_terms = context->saved_data["n_terms"].toInt();
    const int64_t n_norms = context->saved_data["n_norms"].toInt();
    const int64_t kept = context->saved_data["kept"].toInt();
    const bool affine = context->saved_data["affine"].toBool();
    const variable_list saved = context->get_saved_variables();
    const Tensor &weight = saved[kept], &moments = saved[kept + 1], &out = saved[kept + 2];
    const Tensor g = laid_out(gradients[0]);
    const int64_t channels = g.size(1), rows = rows_of(g);
    const int64_t n_affine = affine ? n_norms : 0;
    const float *gradient = numbers(g), *gate = out.defined() ? numbers(out) : nullptr;
    const double* w = weight.const_data_ptr<double>();
    const double* mean = n_norms ? moments.const_data_ptr<double>() : nullptr;
    const double* inverse = mean + n_norms * channels;

    std::vector<const float*> x;
    for (int64_t k = 0; k < kept; k++) x.push_back(numbers(saved[k]));
    std::vector<double> sums;
    if (kept > 0)
      sums = summed((kept + 1) * channels, rows, [&](int64_t begin, int64_t end, double* out) {
        kernels->dot_products(gradient, gate, x.data(), kept, channels, begin, end, out);
      });

    variable_list results(n_terms + 2 * n_affine + 2);
    Tensor to_weights;
    double* d_weight = nullptr;
    if (kept == n_terms && context->needs_input_grad(n_terms + 2 * n_affine)) {
      to_weights = at::zeros({n_terms}, at::kDouble);
      d_weight = to_weights.mutable_data_ptr<double>();
    }
    std::vector<float> a, b, c;
    std::vector<const float*> sources;
    std::vector<float*> targets;
    const auto target = [&](int64_t k, const float* source) {
      results[k] = blank_like(g);
      sources.push_back(source);
      targets.push_back(results[k].mutable_data_ptr<float>());
    };
    for (int64_t k = 0; k < n_norms; k++) {
      const bool wanted = context->needs_input_grad(k);
      if (wanted) target(k, x[k]);
      float *d_scale = nullptr, *d_shift = nullptr;
      const float *gamma = nullptr, *beta = nullptr;
      if (affine) {
        gamma = numbers(saved[kept + 3 + k]);
        beta = numbers(saved[kept + 3 + n_norms + k]);
        if (context->needs_input_grad(n_terms + k)) {
          results[n_terms + k] = at::empty({channels}, g.options().memory_format(std::nullopt));
          d_scale = results[n_terms + k].mutable_data_ptr<float>();
        }
        if (context->needs_input_grad(n_terms + n_norms + k)) {
          results[n_terms + n_norms + k] =
              at::empty({channels}, g.options().memory_format(std::nullopt));
          d_shift = results[n_terms + n_norms + k].mutable_data_ptr<float>();
        }
      }
      for (int64_t i = 0; i < channels; i++) {
        const int64_t at = k * channels + i;
        const double total = sums[kept * channels + i];
        const double along = inverse[at] * (sums[at] - total * mean[at]);  // Σ g · x̂
        const double scale = affine ? gamma[i] : 1.0, s = w[k] * scale * inverse[at];
        if (wanted) {
          const double slope = -s * inverse[at] * along / rows;
          a.push_back(float(s));
          b.push_back(float(slope));
          c.push_back(float(-s * total / rows - slope * mean[at]));
        }
        if (d_scale) d_scale[i] = float(w[k] * along);
        if (d_shift) d_shift[i] = float(w[k] * total);
        if (d_weight) d_weight[k] += scale * along + (affine ? beta[i] * total : 0.0);
      }
    }
    // Plain terms of one weight have one gradient.
    for (int64_t p = n_norms; p < n_terms; p++) {
      if (d_weight)
        for (int64_t i = 0; i < channels; i++) d_weight[p] += sums[p * channels + i];
      if (!context->needs_input_grad(p)) continue;
      if (w[p] == 1.0 && !gate) {
        results[p] = g;
        continue;
      }
      target(p, nullptr);
      a.insert(a.end(), channels, float(w[p]));
      b.insert(b.end(), channels, 0.0f);
      c.insert(c.end(), channels, 0.0f);
    }
    if (!targets.empty())
      in_shares(rows, [&](int64_t, int64_t begin, int64_t end) {
        kernels->scaled_gradients(gradient, gate, sources.data(), targets.size(), a.data(),
                                  b.data(), c.data(), channels, begin, end, targets.data());
      });
    if (to_weights.defined() && context->saved_data["single"].toBool())
      to_weights = to_weights.to(at::kFloat);
    results[n_terms + 2 * n_affine] = to_weights;
    return results;
  }
};

// The same from libtorch's own functions.
Tensor composed_sum(TensorList terms, TensorList scales, TensorList shifts, const Tensor& weights,
                    const SumOptions& options) {
  Tensor sum;
  const bool learns = weights.requires_grad() && at::GradMode::is_enabled();
  const Tensor numbers = weights.detach().to(at::kCPU, at::kDouble).contiguous();
  for (size_t k = 0; k < terms.size(); k++) {
    Tensor term = terms[k];
    if (int64_t(k) < options.n_normalized) {
      const bool keeps = !options.running.empty();
      const auto own = [&](TensorList list) { return list.empty() ? Tensor() : list[k]; };
      term = at::batch_norm(term, own(scales), own(shifts),
                            keeps ? options.running[2 * k] : Tensor(),
                            keeps ? options.running[2 * k + 1] : Tensor(),
                            options.training || !keeps, options.momentum, options.eps, true);
    }
    const double weight = numbers.const_data_ptr<double>()[k];
    if (learns)
      term = term * weights.select(0, k).to(term.device(), term.scalar_type());
    else if (sum.defined()) {
      sum = at::add(sum, term, weight);
      continue;
    } else if (weight != 1.0)
      term = term * weight;
    sum = sum.defined() ? sum + term : term;
  }
  return options.relu ? at::relu(sum) : sum;
}

// ------------------------------------------------------------------------ depthwise convolutions

bool has_weight_gradient(int64_t kernel, int64_t stride, int64_t dilation) {
  const bool odd = kernel == 3 || kernel == 5 || kernel == 7;
  return odd && ((dilation == 1 && (stride == 1 || stride == 2)) ||
                 (dilation == 2 && stride == 1 && kernel < 7));
}

// A depthwise convolution. Its input's gradient is a convolution with the flipped weight where the
// stride is 1, which libtorch does faster than its own; its weight's gradient is a kernel of ours.
struct Depthwise : Function<Depthwise> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        int64_t stride, int64_t padding, int64_t dilation) {
    context->save_for_backward({x, weight});
    context->saved_data["window"] = std::vector<int64_t>{stride, padding, dilation};
    return at::conv2d(x, weight, {}, stride, padding, dilation, x.size(1));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const auto window = context->saved_data["window"].toIntVector();
    const int64_t stride = window[0], padding = window[1], dilation = window[2];
    const int64_t channels = x.size(1), kernel = weight.size(2);
    const Tensor g = gradients[0].contiguous(CHANNELS_LAST);
    const bool wants_x = context->needs_input_grad(0), wants_w = context->needs_input_grad(1);
    const bool flips = stride == 1 && 2 * padding == dilation * (kernel - 1);
    const bool ours = is_map(x) && has_weight_gradient(kernel, stride, dilation);
    Tensor to_x, to_w;
    if (wants_x && flips)
      to_x = at::conv2d(g, weight.flip({2, 3}), {}, 1, padding, dilation, channels);
    if (wants_w && ours) to_w = weight_gradient(x, g, weight, stride, padding, dilation);
    const bool left_x = wants_x && !to_x.defined(), left_w = wants_w && !to_w.defined();
    if (left_x || left_w) {
      auto rest = at::convolution_backward(g, x, weight, at::OptionalIntArrayRef(),
                                           {stride, stride}, {padding, padding},
                                           {dilation, dilation}, false, {0, 0}, channels,
                                           {left_x, left_w, false});
      if (left_x) to_x = std::get<0>(rest);
      if (left_w) to_w = std::get<1>(rest);
    }
    return {to_x, to_w, Tensor(), Tensor(), Tensor()};
  }

  static Tensor weight_gradient(const Tensor& input, const Tensor& g, const Tensor& weight,
                                int64_t stride, int64_t padding, int64_t dilation) {
    const Tensor x = input.contiguous(CHANNELS_LAST);
    const int64_t channels = x.size(1), kernel = weight.size(2), taps = kernel * kernel;
    const Window window{kernel,    stride,    padding,   dilation, x.size(2),
                        x.size(3), g.size(2), g.size(3), channels};
    const auto sums =
        summed(taps * channels, x.size(0), [&](int64_t begin, int64_t end, double* total) {
          std::vector<float> part(taps * channels);
          // 32 bits within an example, 64 across them.
          for (int64_t n = begin; n < end; n++) {
            std::fill(part.begin(), part.end(), 0.0f);
            kernels->depthwise_weight_gradient(numbers(x), numbers(g), window, n, n + 1,
                                               part.data());
            for (int64_t i = 0; i < taps * channels; i++) total[i] += part[i];
          }
        });
    Tensor result = at::empty({channels, 1, kernel, kernel}, at::kFloat);
    float* out = result.mutable_data_ptr<float>();
    for (int64_t c = 0; c < channels; c++)
      for (int64_t tap = 0; tap < taps; tap++) out[c * taps + tap] = sums[tap * channels + c];
    return result;
  }
};

// -------------------------------------------------------------------------------------- pools

Window pool_window(at::IntArrayRef size, int64_t stride) {
  return {3, stride, 1, 1, size[2], size[3], (size[2] - 1) / stride + 1, (size[3] - 1) / stride + 1,
          size[1]};
}

Tensor empty_map(const Tensor& like, int64_t height, int64_t width, at::ScalarType type) {
  return at::empty({like.size(0), like.size(1), height, width},
                   like.options().dtype(type).memory_format(CHANNELS_LAST));
}

struct MaxPool : Function<MaxPool> {
  static Tensor forward(AutogradContext* context, const Tensor& input, int64_t stride) {
    const Tensor x = input.contiguous(CHANNELS_LAST);
    const Window window = pool_window(x.sizes(), stride);
    Tensor out = empty_map(x, window.out_height, window.out_width, at::kFloat);
    Tensor tap = empty_map(x, window.out_height, window.out_width, at::kByte);
    float* o = out.mutable_data_ptr<float>();
    uint8_t* t = tap.mutable_data_ptr<uint8_t>();
    in_shares(x.size(0) * window.out_height, [&](int64_t, int64_t begin, int64_t end) {
      kernels->max_pool(numbers(x), window, begin, end, o, t);
    });
    context->save_for_backward({tap});
    context->saved_data["size"] = x.sizes().vec();
    context->saved_data["stride"] = stride;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor tap = context->get_saved_variables()[0];
    const Tensor g = gradients[0].contiguous(CHANNELS_LAST);
    const auto size = context->saved_data["size"].toIntVector();
    const Window window = pool_window(size, context->saved_data["stride"].toInt());
    Tensor out = empty_map(g, size[2], size[3], at::kFloat);
    float* o = out.mutable_data_ptr<float>();
    in_shares(size[0] * size[2], [&](int64_t, int64_t begin, int64_t end) {
      kernels->max_pool_gradient(numbers(g), tap.const_data_ptr<uint8_t>(), window, begin, end, o);
    });
    return {out, Tensor()};
  }
};

// Without padding a window is 2×2 and its stride 2.
Window average_window(at::IntArrayRef size, int64_t stride, bool padded) {
  if (padded) return pool_window(size, stride);
  return {2, 2, 0, 1, size[2], size[3], size[2] / 2, size[3] / 2, size[1]};
}

struct AveragePool : Function<AveragePool> {
  static Tensor forward(AutogradContext* context, const Tensor& input, int64_t stride,
                        bool padded) {
    const Tensor x = input.contiguous(CHANNELS_LAST);
    const Window window = average_window(x.sizes(), stride, padded);
    Tensor out = empty_map(x, window.out_height, window.out_width, at::kFloat);
    float* o = out.mutable_data_ptr<float>();
    const auto pool = padded ? kernels->average_pool : kernels->average_pool_2x2;
    in_shares(x.size(0) * window.out_height, [&](int64_t, int64_t begin, int64_t end) {
      pool(numbers(x), window, begin, end, o);
    });
    context->saved_data["size"] = x.sizes().vec();
    context->saved_data["stride"] = stride;
    context->saved_data["padded"] = padded;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor g = gradients[0].contiguous(CHANNELS_LAST);
    const auto size = context->saved_data["size"].toIntVector();
    const bool padded = context->saved_data["padded"].toBool();
    const int64_t stride = context->saved_data["stride"].toInt();
    const Window window = average_window(size, stride, padded);
    Tensor out = empty_map(g, size[2], size[3], at::kFloat);
    float* o = out.mutable_data_ptr<float>();
    const auto gradient =
        padded ? kernels->average_pool_gradient : kernels->average_pool_2x2_gradient;
    in_shares(size[0] * size[2], [&](int64_t, int64_t begin, int64_t end) {
      gradient(numbers(g), window, begin, end, o);
    });
    return {out, Tensor(), Tensor()};
  }
};

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
    SumOptions options{n_normalized, relu,     training,
                       eps,          momentum, list_of(running, 2 * n_normalized)};
    const auto xs = list_of(terms, n_terms);
    const auto gammas = list_of(scales, n_normalized), betas = list_of(shifts, n_normalized);
    bool fits = (training || options.running.empty() || n_normalized == 0) && has_rows(xs[0]) &&
                weights->device().is_cpu();
    for (const Tensor& x : xs) fits = fits && is_plain(x) && x.sizes() == xs[0].sizes();
    if (!fits) return composed_sum(xs, gammas, betas, *weights, options);
    return NormalizedSum::apply(TensorList(xs), TensorList(gammas), TensorList(betas), *weights,
                                options);
  });
}

Tensor* nas_depthwise(const Tensor* x, const Tensor* weight, int64_t stride, int64_t padding,
                      int64_t dilation) {
  return nas::guarded(
      [&] { return nas::Depthwise::apply(*x, *weight, stride, padding, dilation); });
}

Tensor* nas_max_pool(const Tensor* x, int64_t stride) {
  return nas::guarded([&] {
    if (!nas::is_map(*x)) return at::max_pool2d(*x, {3, 3}, {stride, stride}, {1, 1});
    return nas::MaxPool::apply(*x, stride);
  });
}

Tensor* nas_average_pool(const Tensor* x, int64_t stride) {
  return nas::guarded([&] {
    if (!nas::is_map(*x))
      return at::avg_pool2d(*x, {3, 3}, {stride, stride}, {1, 1}, false, false);
    return nas::AveragePool::apply(*x, stride, true);
  });
}

Tensor* nas_average_pool_2x2(const Tensor* x) {
  return nas::guarded([&] {
    const bool fits = nas::is_map(*x) && x->size(2) > 1 && x->size(3) > 1;
    if (!fits) return at::avg_pool2d(*x, {2, 2}, {2, 2});
    return nas::AveragePool::apply(*x, 2, false);
  });
}
}

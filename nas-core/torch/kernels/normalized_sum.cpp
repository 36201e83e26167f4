// Sums of weighted terms, some of them batch-normalised.
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "layers.h"
#include "tensors.h"

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace nas {
namespace {

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

}  // namespace

Tensor normalized_sum(TensorList terms, TensorList scales, TensorList shifts, const Tensor& weights,
                      const SumOptions& options) {
  bool fits = (options.training || options.running.empty() || options.n_normalized == 0) &&
              has_rows(terms[0]) && weights.device().is_cpu();
  for (const Tensor& x : terms) fits = fits && is_plain(x) && x.sizes() == terms[0].sizes();
  if (!fits) return composed_sum(terms, scales, shifts, weights, options);
  return NormalizedSum::apply(terms, scales, shifts, weights, options);
}

}  // namespace nas

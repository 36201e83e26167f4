// Convolutions that are faster than libtorch's: depthwise ones, and 3×3 in Winograd's form.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "layers.h"
#include "tensors.h"

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace nas {
namespace {

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

// A 3×3 convolution with stride 1 and padding 1 in Winograd's form: less than half of the products.
struct Winograd : Function<Winograd> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight) {
    const Tensor x = input.contiguous(CHANNELS_LAST);
    context->save_for_backward({x, weight});
    return convolved(x, weight, false);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor g = gradients[0].contiguous(CHANNELS_LAST);
    Tensor to_x, to_weight;
    if (context->needs_input_grad(0)) to_x = convolved(g, weight, true);
    if (context->needs_input_grad(1)) to_weight = weight_gradient(x, g, weight);
    return {to_x, to_weight};
  }

  // x by the weight, or a gradient by the turned weight.
  static Tensor convolved(const Tensor& x, const Tensor& weight, bool turned) {
    const Tensor w = weight.contiguous(CHANNELS_LAST);
    const Map map{x.size(2), x.size(3), w.size(1), w.size(0)};
    Tensor transformed = at::empty({16, map.channels, map.out_channels}, at::kFloat);
    float* to = transformed.mutable_data_ptr<float>();
    kernels->winograd_weight(numbers(w), map, turned, to);
    const Map between = turned ? Map{map.height, map.width, map.out_channels, map.channels} : map;
    Tensor out = empty_map(x, between.out_channels, map.height, map.width);
    float* o = out.mutable_data_ptr<float>();
    in_shares(tiles_of(x), [&](int64_t, int64_t begin, int64_t end) {
      kernels->winograd(numbers(x), to, between, begin, end, o);
    });
    return out;
  }

  static Tensor weight_gradient(const Tensor& x, const Tensor& g, const Tensor& weight) {
    const Map map{x.size(2), x.size(3), x.size(1), g.size(1)};
    // With fewer channels the transformations take more than they save.
    if (map.channels < 32 || map.out_channels < 32)
      return std::get<1>(at::convolution_backward(g, x, weight, at::OptionalIntArrayRef(), {1, 1},
                                                  {1, 1}, {1, 1}, false, {0, 0}, 1,
                                                  {false, true, false}));
    const int64_t n_sums = 9 * map.channels * map.out_channels;
    const auto sums =
        summed(n_sums, tiles_of(x), [&](int64_t begin, int64_t end, double* total) {
          std::vector<float> part(n_sums);
          // 32 bits within a block of tiles, 64 across them.
          for (int64_t first = begin; first < end; first += BLOCK) {
            std::fill(part.begin(), part.end(), 0.0f);
            kernels->winograd_weight_gradient(numbers(x), numbers(g), map, first,
                                              std::min(first + BLOCK, end), part.data());
            for (int64_t i = 0; i < n_sums; i++) total[i] += part[i];
          }
        });
    // [taps, in, out] lies as the kernel has it, and is read as [out, in, 3, 3].
    Tensor result = at::empty({3, 3, map.channels, map.out_channels}, at::kFloat);
    float* out = result.mutable_data_ptr<float>();
    for (int64_t i = 0; i < n_sums; i++) out[i] = float(sums[i]);
    return result.permute({3, 2, 0, 1}).contiguous(weight.suggest_memory_format());
  }

  static int64_t tiles_of(const Tensor& x) {
    return x.size(0) * ((x.size(2) + 1) / 2) * ((x.size(3) + 1) / 2);
  }

  static constexpr int64_t BLOCK = 36 * 32;
};

}  // namespace

Tensor convolution_3x3(const Tensor& x, const Tensor& weight) {
  const auto fills = [](int64_t channels) { return channels % kernels->width == 0; };
  // On the smallest maps most of a tile is padding.
  const bool fits = is_map(x) && is_plain(weight) && x.size(2) > 3 && x.size(3) > 3 &&
                    fills(weight.size(0)) && fills(weight.size(1));
  if (!fits) return at::conv2d(x, weight, {}, 1, 1);
  return Winograd::apply(x, weight);
}

Tensor depthwise(const Tensor& x, const Tensor& weight, int64_t stride, int64_t padding,
                 int64_t dilation) {
  return Depthwise::apply(x, weight, stride, padding, dilation);
}

}  // namespace nas

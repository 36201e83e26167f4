// Pools of 3×3 and 2×2 windows.
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "layers.h"
#include "tensors.h"

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace nas {
namespace {

Window pool_window(at::IntArrayRef size, int64_t stride) {
  return {3, stride, 1, 1, size[2], size[3], (size[2] - 1) / stride + 1, (size[3] - 1) / stride + 1,
          size[1]};
}

struct MaxPool : Function<MaxPool> {
  static Tensor forward(AutogradContext* context, const Tensor& input, int64_t stride) {
    const Tensor x = input.contiguous(CHANNELS_LAST);
    const Window window = pool_window(x.sizes(), stride);
    Tensor out = empty_map(x, x.size(1), window.out_height, window.out_width);
    Tensor tap = empty_map(x, x.size(1), window.out_height, window.out_width, at::kByte);
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
    Tensor out = empty_map(g, g.size(1), size[2], size[3]);
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
    Tensor out = empty_map(x, x.size(1), window.out_height, window.out_width);
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
    Tensor out = empty_map(g, g.size(1), size[2], size[3]);
    float* o = out.mutable_data_ptr<float>();
    const auto gradient =
        padded ? kernels->average_pool_gradient : kernels->average_pool_2x2_gradient;
    in_shares(size[0] * size[2], [&](int64_t, int64_t begin, int64_t end) {
      gradient(numbers(g), window, begin, end, o);
    });
    return {out, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor max_pool(const Tensor& x, int64_t stride) {
  if (!is_map(x)) return at::max_pool2d(x, {3, 3}, {stride, stride}, {1, 1});
  return MaxPool::apply(x, stride);
}

Tensor average_pool(const Tensor& x, int64_t stride) {
  if (!is_map(x)) return at::avg_pool2d(x, {3, 3}, {stride, stride}, {1, 1}, false, false);
  return AveragePool::apply(x, stride, true);
}

Tensor average_pool_2x2(const Tensor& x) {
  const bool fits = is_map(x) && x.size(2) > 1 && x.size(3) > 1;
  if (!fits) return at::avg_pool2d(x, {2, 2}, {2, 2});
  return AveragePool::apply(x, 2, false);
}

}  // namespace nas
